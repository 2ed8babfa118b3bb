namespace MeshTrust.Pki;

/// <summary>The names of the files, which are also the keys of the secret <c>cacerts</c> (istio security/pkg/pki/ca/ca.go).</summary>
internal static class CacertsFile
{
    /// <summary>The intermediate's certificate.</summary>
    public const string CaCert = "ca-cert.pem";

    /// <summary>The intermediate's key.</summary>
    public const string CaKey = "ca-key.pem";

    /// <summary>The intermediate, its issuers, and (as in the Makefile) the root.</summary>
    public const string CertChain = "cert-chain.pem";

    /// <summary>The root, byte for byte the same in every cluster.</summary>
    public const string RootCert = "root-cert.pem";

    /// <summary>The root's key; only in the store's own directory, never in a cluster's.</summary>
    public const string RootKey = "root-key.pem";

    /// <summary>The four files of a cluster.</summary>
    public static IReadOnlyList<string> OfCluster { get; } = [CaCert, CaKey, CertChain, RootCert];
}
