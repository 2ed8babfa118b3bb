using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

/// <summary>Files and bindings that the tests in this folder share.</summary>
internal static class TopologySamples
{
    public const string Head = "apiVersion: meshtrust.dev/v1alpha1\nkind: MeshTopology\n";

    public static string RepositoryRoot { get; } = FindRoot();

    public static IEnumerable<string> SampleFiles => Directory.GetFiles(Path.Combine(RepositoryRoot, "samples", "topologies"), "*.yaml").Order(StringComparer.Ordinal);

    public static string IstioDirectory => Path.Combine(RepositoryRoot, "tests", "MeshTrust.Tests", "Settings", "Istio");

    /// <summary>Binds a command line such as <c>--clusters=3 --force</c>; a word with <c>NAME=value</c> in front is a variable.</summary>
    public static MeshTrustSettings Bind(string commandLine, string? text = null, string file = "mesh.yaml", IReadOnlyDictionary<string, string>? environment = null)
    {
        var arguments = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Argument).ToList();
        if (text is not null) arguments.Add(new("topology", file));
        return MeshTrustSettings.Bind(arguments, environment ?? new Dictionary<string, string>(), path => text is not null && path == file ? text : throw new FileNotFoundException("no", path), ["configuration"]);
    }

    public static MeshTrustException Refuse(string commandLine, string? text = null, string file = "mesh.yaml", IReadOnlyDictionary<string, string>? environment = null) =>
        Assert.Throws<MeshTrustException>(() => Bind(commandLine, text, file, environment))!;

    /// <summary>Reads <c>A=1;B=2</c>.</summary>
    public static Dictionary<string, string> Environment(string text) =>
        text.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1], StringComparer.Ordinal);

    private static KeyValuePair<string, string?> Argument(string word)
    {
        var parts = word.TrimStart('-').Split('=', 2);
        return new(parts[0], parts.Length == 2 ? parts[1] : null);
    }

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "MeshTrust.slnx"))) at = at.Parent;
        return at?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }
}
