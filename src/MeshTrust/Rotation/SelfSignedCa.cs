using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace MeshTrust.Rotation;

/// <summary>A cluster whose istiod made its own CA. It gets <c>cacerts</c> with that same CA, and is then like any other.</summary>
internal static class SelfSignedCa
{
    internal static bool Signs(LiveTrust live) =>
        live.Signer is Signer.SelfSigned || live is { Signer: Signer.NotRunning, Secret: null, SelfSigned: not null };

    /// <summary>The four files with which istiod signs as before.</summary>
    /// <exception cref="MeshTrustException">MT5121, MT5123, MT51xx: the CA cannot be used.</exception>
    internal static ClusterCacerts Adopt(LiveTrust live)
    {
        var fetched = FetchedRoot.Of(live);
        ReadOnlyMemory<byte> root = PemDocument.Write([fetched.Root.Certificate]);
        return ClusterCacerts.FromFiles(live.Cluster, new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [CacertsFile.CaCert] = root, [CacertsFile.CaKey] = fetched.Key, [CacertsFile.CertChain] = root, [CacertsFile.RootCert] = root,
        });
    }
}
