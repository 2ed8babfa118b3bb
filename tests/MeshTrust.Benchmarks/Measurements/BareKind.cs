using System.Diagnostics;
using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>kind, openssl and kubectl, run manually.</summary>
internal sealed class BareKind(string kind, string kubectl, string? image)
{
    /// <summary>The steps of the guide, in sequence: clusters, root and intermediates, namespaces and secrets.</summary>
    public async Task<TimeSpan> InSequenceAsync(IReadOnlyList<string> clusters, string openssl, string directory, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        foreach (var cluster in clusters) await CreateAsync(cluster, directory, cancellationToken).ConfigureAwait(false);
        await new OpensslAuthority(openssl, directory).IssueAsync(clusters, cancellationToken).ConfigureAwait(false);
        foreach (var cluster in clusters)
        {
            string[] reach = ["--kubeconfig", Kubeconfig(cluster, directory), "--namespace", "istio-system"];
            string[] files = ["ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"];
            await RunAsync(kubectl, [.. reach, "create", "namespace", "istio-system"], directory, cancellationToken).ConfigureAwait(false);
            await RunAsync(kubectl, [.. reach, "create", "secret", "generic", "cacerts", .. files.Select(file => $"--from-file={cluster}/{file}")], directory, cancellationToken).ConfigureAwait(false);
        }

        return clock.Elapsed;
    }

    /// <summary>Only the clusters, all at once.</summary>
    public async Task<TimeSpan> AllAtOnceAsync(IReadOnlyList<string> clusters, string directory, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(clusters.Select(cluster => CreateAsync(cluster, directory, cancellationToken))).ConfigureAwait(false);
        return clock.Elapsed;
    }

    /// <summary>Removes them; not measured, and always done.</summary>
    public async Task DeleteAsync(IReadOnlyList<string> clusters, string directory)
    {
        foreach (var cluster in clusters)
            await RunAsync(kind, ["delete", "cluster", "--name", cluster, "--kubeconfig", Kubeconfig(cluster, directory)], directory, CancellationToken.None).ConfigureAwait(false);
    }

    private Task CreateAsync(string cluster, string directory, CancellationToken cancellationToken)
    {
        string[] with = image is null ? [] : ["--image", image];
        return RunAsync(kind, ["create", "cluster", "--name", cluster, "--kubeconfig", Kubeconfig(cluster, directory), "--wait", "180s", .. with], directory, cancellationToken);
    }

    private static string Kubeconfig(string cluster, string directory) => Path.Combine(directory, $"{cluster}.kubeconfig");

    private static Task<ChildRun> RunAsync(string file, IReadOnlyList<string> arguments, string directory, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync(new ChildCommand(file, arguments, directory), cancellationToken);
}
