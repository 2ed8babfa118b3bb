namespace MeshTrust.Settings;

/// <summary>What the user wants of the common trust. It names values and files, never key material.</summary>
public sealed record TrustSpec
{
    /// <summary>The defaults of Istio's tools/certs/common.mk.</summary>
    public static TrustSpec Default { get; } = new();

    /// <summary>The namespace of istiod and of the secret <c>cacerts</c>.</summary>
    public string Namespace { get; init; } = "istio-system";

    /// <summary>The mesh's trust domain, the host of every SPIFFE id in it.</summary>
    public string TrustDomain { get; init; } = "cluster.local";

    /// <summary>The root CA.</summary>
    public CertificateAuthoritySpec Root { get; init; } = new()
    {
        CommonName = "Root CA",
        Organization = "Istio",
        Days = 3650,
        Key = KeyAlgorithm.Rsa4096,
    };

    /// <summary>Each cluster's intermediate CA; its subject carries the cluster's name as L.</summary>
    public CertificateAuthoritySpec Intermediate { get; init; } = new()
    {
        CommonName = "Intermediate CA",
        Organization = "Istio",
        Days = 3650,
        Key = KeyAlgorithm.Rsa4096,
        DnsNames = ["istiod.istio-system.svc"],
    };

    /// <summary>When an intermediate is due for renewal.</summary>
    public RenewalThreshold RenewBefore { get; init; } = RenewalThreshold.Default;

    /// <summary>A root certificate (PEM file) that the user brings; null where MeshTrust makes one.</summary>
    public string? RootCertificateFile { get; init; }

    /// <summary>The key (PEM file) to <see cref="RootCertificateFile"/>.</summary>
    public string? RootKeyFile { get; init; }

    /// <summary>Whether <c>cert-chain.pem</c> leaves the root out (<c>--minimal-chain</c>); Istio's Makefile puts it in.</summary>
    public bool MinimalChain { get; init; }
}
