using System.Text;
using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Rotation;

/// <summary>
/// The clusters of a rotation that has begun, with the serial numbers of the intermediates that it replaces: a file in the trust store,
/// until all have a new one. A run that was killed goes on from it.
/// </summary>
/// <param name="Clusters">The clusters, in the order of the rotation.</param>
internal sealed record RotationPlan(IReadOnlyList<PlannedCluster> Clusters)
{
    internal const string FileName = "rotation.json";

    private static readonly StateFile<RotationPlan> File = new(RotationPlanJson.Default.RotationPlan, (path, reason) =>
        new MeshTrustException(Stage.CertificateAuthority, new Problem("MT5504", path, $"The plan of a rotation cannot be read: {reason}.",
            "Remove the file. The next rotation begins from what the trust store and the clusters hold.")));

    /// <summary>The plan of a rotation that has not ended; null if there is none.</summary>
    internal static RotationPlan? Read(TrustStore store)
    {
        var path = PathIn(store);
        return StoreFile.Read(path) is { } bytes ? File.Parse(Encoding.UTF8.GetString(bytes), path) : null;
    }

    internal void Write(TrustStore store)
    {
        var path = PathIn(store);
        DiskFault.Report(Stage.CertificateAuthority, path, () =>
        {
            if (Clusters.All(c => c.IsDone)) System.IO.File.Delete(path);
            else AtomicFile.Replace(path, Encoding.UTF8.GetBytes(File.ToJson(this)), secret: false);
        });
    }

    internal RotationPlan Done(ClusterName cluster) =>
        new([.. Clusters.Select(c => c.Name == cluster.Value ? c with { IsDone = true } : c)]);

    private static string PathIn(TrustStore store) => Path.Combine(store.Location, FileName);
}

/// <summary>One cluster of the plan.</summary>
/// <param name="Name">The cluster.</param>
/// <param name="Replaces">The serial number of the intermediate that it had at the start.</param>
/// <param name="IsDone">Whether the new one passed its gate.</param>
internal sealed record PlannedCluster(string Name, string Replaces, bool IsDone = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(RotationPlan))]
internal sealed partial class RotationPlanJson : JsonSerializerContext;
