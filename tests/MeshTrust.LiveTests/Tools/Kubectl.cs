namespace MeshTrust.Tests.Tools;

/// <summary>kubectl with one kubeconfig and its own cache: it caches by host and port, and ports are reused.</summary>
internal sealed class Kubectl(string kubeconfig, string cache, string program = "kubectl")
{
    private readonly string _path = OutsideTool.Find(program);

    /// <summary>Runs it; it must succeed.</summary>
    /// <returns>Its standard output.</returns>
    public string Do(params string[] arguments)
    {
        var result = Try(arguments);
        Assert.That(result.ExitCode, Is.Zero, $"kubectl {string.Join(' ', arguments)}: {result.Error}");
        return result.Output;
    }

    /// <summary>Runs it; it must fail.</summary>
    /// <returns>Its standard error.</returns>
    public string Fail(params string[] arguments)
    {
        var result = Try(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(1), $"kubectl {string.Join(' ', arguments)}: {result.Output}{result.Error}");
        return result.Error;
    }

    public ToolResult Try(params string[] arguments) => Try([], arguments);

    /// <summary>The same with additional variables.</summary>
    public ToolResult Try(Dictionary<string, string> environment, params string[] arguments) =>
        OutsideTool.Run(_path, ["--kubeconfig", kubeconfig, "--cache-dir", cache, .. arguments], input: null, environment);
}
