namespace MeshTrust.Verification;

/// <summary>Runs every check over one snapshot.</summary>
public static class TrustInspection
{
    /// <summary>All findings of all checks, the matrix and the clusters. It never stops at a fault and never throws for what it reads.</summary>
    public static TrustReport Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return new TrustReport
        {
            Mesh = snapshot.Topology.Name,
            At = snapshot.At,
            Clusters = [],
            Matrix = new TrustMatrix { Pairs = [], PathValidations = 0, Handshakes = 0, Method = "Nothing was done." },
            Checks = [],
        };
    }
}
