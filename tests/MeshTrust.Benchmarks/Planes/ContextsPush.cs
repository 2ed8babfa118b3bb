using MeshTrust.Checks;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>
/// The measured program: PushSecrets and Verify of the core for n contexts of one server. The targets reject that:
/// two clusters of a mesh are never the same. So each context gets its own namespace instead of istio-system.
/// </summary>
internal static class ContextsPush
{
    public const string Verb = "push-contexts";

    public static readonly string[] Keys = ["--rootca-keysz=p256", "--intermediate-keysz=p256"];

    /// <returns>The exit code: 0 if every secret exists and every pair is trusted.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var (topology, clusters, store) = Mesh(args);
        var parallel = Math.Max(8, Environment.ProcessorCount);

        using var connections = new ClusterConnections(ClusterApiSettings.Default);
        var push = await CacertsPush.RunAsync(topology, clusters, Connect, store.ReadCacerts, new CacertsPushSettings { Parallel = parallel }, CancellationToken.None).ConfigureAwait(false);
        push.EnsureSucceeded();
        var snapshot = await new TrustSnapshotReader(TimeProvider.System, parallel).ReadAsync(topology, clusters, Connect, store.Location, CancellationToken.None).ConfigureAwait(false);
        var report = TrustInspection.Inspect(snapshot);
        Console.WriteLine($"{push.Outcomes.Count(outcome => outcome.Secret is not null)} secrets, {report.Outcome}, {report.Errors} errors");
        return report.ToFault() is null ? 0 : 1;

        IClusterApi Connect(ClusterAccess access) => Open(connections, topology, access, args[3]);
    }

    /// <param name="args">The work directory, the directory of kubeconfigs, the number of contexts, the prefix of their namespaces.</param>
    internal static (MeshTopology Topology, IReadOnlyList<ClusterAccess> Clusters, TrustStore Store) Mesh(IReadOnlyList<string> args)
    {
        var topology = MeshTrustSettings.Bind([new("clusters", args[2]), new("provider", "embedded"), .. Keys.Select(key => new KeyValuePair<string, string?>(key.Split('=')[0].TrimStart('-'), key.Split('=')[1]))], new Dictionary<string, string>(), _ => "", []).Topology;
        ClusterAccess[] clusters = [.. topology.Clusters.Select(c => new ClusterAccess { Name = c.Name, KubeconfigPath = Path.Combine(args[1], c.Name.Value), ContextName = c.Name.Value })];
        return (topology, clusters, new TrustStore(Path.Combine(args[0], "certs")));
    }

    /// <summary>A file for each context, all of one server.</summary>
    /// <returns>Their directory.</returns>
    internal static string WriteKubeconfigs(string work, string kubeconfig, int contexts)
    {
        var directory = Directory.CreateDirectory(Path.Combine(work, "contexts")).FullName;
        for (var i = 1; i <= contexts; i++)
            File.WriteAllText(Path.Combine(directory, $"cluster{i}"), kubeconfig.Replace("\"one\"", $"\"cluster{i}\"", StringComparison.Ordinal));
        return directory;
    }

    internal static IClusterApi Open(ClusterConnections connections, MeshTopology topology, ClusterAccess access, string prefix) =>
        new OwnNamespace(connections.Open(access, Stage.Push), topology.Trust.Namespace, $"{prefix}-{access.Name.Value["cluster".Length..]}");
}
