using Cake.Core;
using Cake.Frosting;

namespace Build.Tasks;

/// <summary>
/// Changes the code that decides about trust in small ways and runs the tests on each change: a change that no test notices is a gap.
/// It takes hours on two cores, so CI does not run it.
/// </summary>
[TaskName("Mutate")]
[TaskDescription("Runs Stryker.NET over the code that decides about trust (--filter=Pki/CertificateChain.cs for one file)")]
public sealed class MutateTask(DotNetCommand dotnet) : FrostingTask
{
    private const string Version = "5.1.0";

    private static readonly string[] Trust =
    [
        "Pki/**/*.cs", "Verification/**/*.cs", "Checks/**/*.cs", "Kubernetes/CacertsPush.cs", "Kubernetes/PushGuard.cs",
        "Kubernetes/KubernetesClusterApi.cs",
    ];

    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var tools = RepositoryRoot.At("artifacts/stryker");
        if (!Directory.Exists(tools))
            dotnet.RunOrFail(context, "tool", "install", "dotnet-stryker", "--version", Version, "--tool-path", tools);
        var files = BuildArguments.Filter(context) is { } filter ? [filter] : Trust;
        var mutate = files.SelectMany(file => new[] { "--mutate", $"**/src/MeshTrust/{file}" });
        var assembly = Directory.EnumerateFiles(tools, "Stryker.CLI.dll", SearchOption.AllDirectories).First();
        dotnet.RunOrFail(context,
        [
            "exec", assembly, "--test-project", RepositoryRoot.At("tests/MeshTrust.Tests/MeshTrust.Tests.csproj"),
            "--project", "MeshTrust.csproj",
            "--test-runner", "mtp", "--configuration", "Release", "--reporter", "html", "--reporter", "cleartext",
            "--output", RepositoryRoot.At("artifacts/mutants"), .. mutate,
        ]);
    }
}
