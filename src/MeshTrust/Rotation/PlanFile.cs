using System.Text;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MeshTrust.IO;
using MeshTrust.Pki;

namespace MeshTrust.Rotation;

/// <summary>The plan of a rotation: a file in the trust store while it lasts, so that a run resumes where another stopped.</summary>
internal sealed class PlanFile<T>(string name, JsonTypeInfo<T> json, string hint)
    where T : class
{
    private readonly StateFile<T> _file = new(json, (path, reason) => new MeshTrustException(Stage.CertificateAuthority,
        new Problem("MT5504", path, $"The plan of a rotation cannot be read: {reason}.", hint)));

    internal string PathIn(TrustStore store) => Path.Combine(store.Location, name);

    /// <summary>Null if no rotation is under way.</summary>
    internal T? Read(TrustStore store) =>
        StoreFile.Read(PathIn(store)) is { } bytes ? _file.Parse(Encoding.UTF8.GetString(bytes), PathIn(store)) : null;

    internal T Write(TrustStore store, T plan)
    {
        DiskFault.Report(Stage.CertificateAuthority, PathIn(store),
            () => AtomicFile.Replace(PathIn(store), Encoding.UTF8.GetBytes(_file.ToJson(plan)), secret: false));
        return plan;
    }

    internal void Remove(TrustStore store) =>
        DiskFault.Report(Stage.CertificateAuthority, PathIn(store), () => File.Delete(PathIn(store)));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(RotationPlan))]
[JsonSerializable(typeof(RootRotationPlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
