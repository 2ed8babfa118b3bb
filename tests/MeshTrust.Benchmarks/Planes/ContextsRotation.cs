using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>The measured program: RotateIntermediates of the core for n contexts of one server, which have their secrets already.</summary>
internal static class ContextsRotation
{
    public const string Verb = "rotate-contexts";

    /// <returns>The exit code: 0 if every cluster has a new intermediate that passed its gate.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var (topology, clusters, store) = ContextsPush.Mesh(args);
        using var connections = new ClusterConnections(ClusterApiSettings.Default);
        using var keys = new KeyPool();
        var told = new List<string>();
        var mesh = new RotatedMesh(topology, clusters, _ => access => ContextsPush.Open(connections, topology, access, args[3]), store, keys, TimeProvider.System)
        {
            Wait = TimeSpan.FromMinutes(3), Tell = told.Add,
        };
        var rotation = new IntermediateRotation(mesh);
        await rotation.RotateAsync(rotation.Plan([.. mesh.Names]), CancellationToken.None).ConfigureAwait(false);
        var changed = told.Count(t => t.EndsWith("secret cacerts changed", StringComparison.Ordinal));
        Console.WriteLine($"{changed} secrets changed");
        return changed == clusters.Count ? 0 : 1;
    }
}
