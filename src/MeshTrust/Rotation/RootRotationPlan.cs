using System.Text;
using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Rotation;

/// <summary>A change of root that has begun: a file in the trust store until its end. Every run goes on from it.</summary>
/// <param name="Old">The SHA-256 of the root that goes.</param>
/// <param name="New">The SHA-256 of the root that comes.</param>
/// <param name="Phase">The phase that is under way, or was the last to end.</param>
/// <param name="EndedAt">When the phase's gate was passed; null while it is under way.</param>
internal sealed record RootRotationPlan(string Old, string New, RootPhase Phase, DateTimeOffset? EndedAt = null)
{
    internal const string FileName = "root-rotation.json";

    private static readonly StateFile<RootRotationPlan> File = new(RootRotationPlanJson.Default.RootRotationPlan, (path, reason) =>
        new MeshTrustException(Stage.CertificateAuthority, new Problem("MT5504", path, $"The plan of a rotation cannot be read: {reason}.",
            "Restore it from your backup: it says how far the change of root has come. It contains no key.")));

    /// <summary>The plan; null if no change of root is under way.</summary>
    internal static RootRotationPlan? Read(TrustStore store) =>
        StoreFile.Read(PathIn(store)) is { } bytes ? File.Parse(Encoding.UTF8.GetString(bytes), PathIn(store)) : null;

    internal RootRotationPlan Write(TrustStore store)
    {
        DiskFault.Report(Stage.CertificateAuthority, PathIn(store),
            () => AtomicFile.Replace(PathIn(store), Encoding.UTF8.GetBytes(File.ToJson(this)), secret: false));
        return this;
    }

    internal static void Remove(TrustStore store) =>
        DiskFault.Report(Stage.CertificateAuthority, PathIn(store), () => System.IO.File.Delete(PathIn(store)));

    private static string PathIn(TrustStore store) => Path.Combine(store.Location, FileName);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(RootRotationPlan))]
internal sealed partial class RootRotationPlanJson : JsonSerializerContext;
