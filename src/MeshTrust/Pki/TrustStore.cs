using MeshTrust.Topology;

namespace MeshTrust.Pki;

/// <summary>The directory of CA material in the layout of Istio's Makefile: <c>root-cert.pem</c>, <c>root-key.pem</c>, and four files for each cluster.</summary>
public sealed partial class TrustStore
{
    /// <summary>The store in a directory, which need not be there yet. Nothing is read or written by this.</summary>
    public TrustStore(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        Location = Path.GetFullPath(directory);
    }

    /// <summary>The directory, absolute.</summary>
    public string Location { get; }

    /// <summary>The path of <c>root-cert.pem</c>.</summary>
    public string RootCertPath => Path.Combine(Location, CacertsFile.RootCert);

    /// <summary>The path of <c>root-key.pem</c>.</summary>
    public string RootKeyPath => Path.Combine(Location, CacertsFile.RootKey);

    /// <summary>A cluster's directory.</summary>
    public string ClusterDirectory(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return Path.Combine(Location, cluster.Value);
    }

    /// <summary>The path of one of a cluster's files (<see cref="CacertsFile"/>).</summary>
    public string ClusterPath(ClusterName cluster, string file) => Path.Combine(ClusterDirectory(cluster), file);

    /// <summary>The keys that a run with this topology will need, so that they can be made ahead: root and missing intermediates.</summary>
    public IReadOnlyList<KeyAlgorithm> MissingKeys(MeshTopology topology) => throw new NotImplementedException();

    /// <summary>Reads the root.</summary>
    /// <exception cref="MeshTrustException">MT5116 where it is not there, MT51xx where it does not fit, MT10xx where it cannot be read.</exception>
    public RootCa ReadRoot() => throw new NotImplementedException();

    /// <summary>Reads a cluster's four files.</summary>
    /// <exception cref="MeshTrustException">MT5113 where they are not there, MT5112 where they do not fit, MT10xx where they cannot be read.</exception>
    public ClusterCacerts ReadCacerts(ClusterName cluster) => throw new NotImplementedException();
}
