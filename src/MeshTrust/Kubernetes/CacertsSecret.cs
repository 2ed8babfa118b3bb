using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>The secret <c>cacerts</c>: what istiod takes its CA from (istio security/pkg/pki/ca/ca.go).</summary>
public static class CacertsSecret
{
    /// <summary>Its name, in istiod's namespace.</summary>
    public const string Name = "cacerts";

    /// <summary>The key by which istiod marks a secret that it generated itself.</summary>
    public const string GeneratedMark = "istio-generated";

    /// <summary>The key whose presence makes istiod read the other layout (pilot/pkg/bootstrap/istio_ca.go).</summary>
    public const string TlsCertificate = "tls.crt";

    /// <summary>The secret that holds these files.</summary>
    public static SecretDocument For(ClusterCacerts cacerts, string namespaceName)
    {
        ArgumentNullException.ThrowIfNull(cacerts);
        return new SecretDocument
        {
            Namespace = namespaceName,
            Name = Name,
            Data = cacerts.ToFiles().ToDictionary(f => f.Key, f => f.Value.ToArray(), StringComparer.Ordinal),
        };
    }

    /// <summary>The files that a secret holds.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.CertificateAuthority"/>: a key is missing or they do not fit together.</exception>
    public static ClusterCacerts Read(ClusterName cluster, SecretDocument secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return ClusterCacerts.FromFiles(cluster, secret.Data.ToDictionary(d => d.Key, d => (ReadOnlyMemory<byte>)d.Value, StringComparer.Ordinal));
    }
}
