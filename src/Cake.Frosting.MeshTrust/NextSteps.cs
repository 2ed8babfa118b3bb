using MeshTrust;
using MeshTrust.Checks;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>What to do after a run that succeeded: its last lines, and <c>next</c> in the JSON report.</summary>
/// <param name="Text">A sentence; with a command, what it is for.</param>
/// <param name="Command">A line for the shell, or an address. It gets a line of its own, to be copied.</param>
internal sealed record NextStep(string Text, string? Command = null)
{
    public override string ToString() => Command is null ? Text : $"{Text} {Command}";
}

/// <summary>The next steps, by what a run reached. Pure.</summary>
internal static class NextSteps
{
    /// <summary>After a target that is only a part of the whole.</summary>
    public static IReadOnlyList<NextStep> Continue { get; } =
        [new("Prove the trust: run --target=Verify with the same arguments. It does all that is still missing.")];

    /// <summary>While a change of root is planned or under way.</summary>
    public static IReadOnlyList<NextStep> RootChange { get; } =
        [new("Continue the change of root: run --target=RotateRoot with the same arguments.")];

    /// <summary>After the values and scripts are written.</summary>
    public static IReadOnlyList<NextStep> Install(string directory) => [RunScript(Script(directory)), .. Continue];

    private static string Script(string directory) =>
        Path.Combine(directory, OperatingSystem.IsWindows() ? "install.ps1" : "install.sh");

    private static NextStep RunScript(string script) => new("Install Istio with helm, or with istioctl if you pass the word istioctl:",
        OperatingSystem.IsWindows() ? script : ContextExport.ShellQuote(script));

    /// <summary>After the root of a running cluster is in the store. One with other options than this run's must be named again.</summary>
    public static IReadOnlyList<NextStep> Fetched(TrustStore store, RootCa root, TrustSpec trust)
    {
        var isOwn = RootCaIssuer.Drift(root, trust).Count == 0;
        var files = isOwn ? "" : $" --rootca-cert={store.RootCertPath} --rootca-key={store.RootKeyPath}";
        return [new($"Give all clusters this root, and prove it: run --target=Verify{files} with the same --certs-dir and all clusters.")];
    }

    /// <summary>After requests for a company's CA are written.</summary>
    public static IReadOnlyList<NextStep> Requested { get; } =
    [
        new("Let your CA sign each ca.csr: as a CA, with path length 0 and the subject of the request."),
        new("Import what it signed, with its issuers and the root: run --target=ImportCertificates --file=DIRECTORY "
            + "with the same arguments."),
    ];

    private static IReadOnlyList<NextStep> Again { get; } =
        [new("Verify again at any time: run --target=Verify with the same arguments. It changes only what differs.")];

    /// <summary>After the clusters can be reached, or after their trust is proven by a report.</summary>
    public static IReadOnlyList<NextStep> For(ProviderChoice provider, MeshTrustSettings settings, TrustReport? proven = null) =>
    [
        .. provider is ProviderChoice.Embedded or ProviderChoice.Native ? Ended(settings.Run) : [Shell(settings)],
        .. proven is not null && provider is ProviderChoice.Kind or ProviderChoice.Existing ? ToMesh(proven, settings.Run) : [],
        .. proven is not null ? Again : Continue,
    ];

    /// <summary>Writes them, and breaks no word if the width of the terminal is known.</summary>
    public static void Write(IReadOnlyList<NextStep> steps, TextWriter output, int width)
    {
        if (steps.Count == 0) return;
        output.WriteLine();
        output.WriteLine("Next steps");
        foreach (var (step, number) in steps.Select((step, i) => (step, i + 1)))
        {
            output.WriteLine(Text.Wrap($"{number}. {step.Text}", width, "   "));
            if (step.Command is { } command) output.WriteLine($"     {command}");
        }
    }

    private static NextStep Shell(MeshTrustSettings settings)
    {
        var (run, count) = (settings.Run, settings.Topology.Clusters.Count);
        var merged = Path.Combine(run.KubeconfigDirectory, "merged");
        return OperatingSystem.IsWindows()
            ? new("Use the clusters in this PowerShell:", $"$env:KUBECONFIG = '{merged.Replace("'", "''", StringComparison.Ordinal)}'")
            : new($"Use the clusters in this shell. This sets CTX_CLUSTER1{(count > 1 ? $" to CTX_CLUSTER{count}" : "")}, "
                + $"and KUBECONFIG to {merged}:", Source(run));
    }

    /// <summary>The command for a POSIX shell.</summary>
    public static string Source(RunSpec run) => $"source {ContextExport.ShellQuote(Path.Combine(run.WorkDirectory, "env.sh"))}";

    private static IEnumerable<NextStep> Ended(RunSpec run) =>
    [
        new("The clusters ended with this run; their state is kept. Use them with kubectl: run --target=Serve with the same arguments."),
        new("They run no pods. For Istio use kind clusters (--provider=kind) or your own (CTX_CLUSTER1=...): they get the same CA "
            + $"material, from {run.CertsDirectory}."),
    ];

    /// <summary>What is left until the mesh runs.</summary>
    private static IEnumerable<NextStep> ToMesh(TrustReport report, RunSpec run)
    {
        if (report.Clusters.Count > 1
            && !report.Checks.Any(c => c is { Id: ProblemCodes.RemoteSecretMissing, Outcome: CheckOutcome.Passed }))
            yield return new("Let each istiod read the other clusters: run --target=RemoteSecrets with the same arguments.");
        if (report.Live is { Istiods.Count: > 0 }) yield break;
        var script = Script(Path.Combine(run.WorkDirectory, "install"));
        yield return File.Exists(script) ? RunScript(script)
            : new("Install Istio where it is missing: run --target=InstallValues with the same arguments. It writes values and a script "
                + "for helm or istioctl.");
    }
}
