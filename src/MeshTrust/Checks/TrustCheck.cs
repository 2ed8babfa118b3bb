using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>Builds the rows of the trust checks: which parts of a cluster each needs, and what it iterates over.</summary>
internal static class TrustCheck
{
    /// <summary>The check that reports a part that could not be read: once, not in every check that needs it.</summary>
    private static readonly Dictionary<SnapshotPart, string> ReportingCheck = new()
    {
        [SnapshotPart.Cacerts] = ProblemCodes.SecretIncomplete,
        [SnapshotPart.SelfSigned] = ProblemCodes.OtherRootActive,
        [SnapshotPart.RootConfigMaps] = ProblemCodes.RootNotDistributed,
        [SnapshotPart.Crl] = ProblemCodes.RevocationListsIncomplete,
        [SnapshotPart.Namespaces] = ProblemCodes.MeshSettingsMismatch,
        [SnapshotPart.MeshConfig] = ProblemCodes.MeshSettingsMismatch,
    };

    /// <summary>
    /// A row of the table. By default it needs the secret <c>cacerts</c> of each cluster and applies if at least one cluster has a
    /// readable secret.
    /// </summary>
    public static Check<TrustSnapshot> Row(
        string id,
        string title,
        string source,
        Func<TrustSnapshot, IEnumerable<Finding>> inspect,
        SnapshotPart[]? needs = null,
        Func<TrustSnapshot, string?>? notApplicable = null) => new(id, title, source)
        {
            Inspect = inspect,
            Skip = snapshot => (notApplicable ?? NoSecret)(snapshot) is { } reason ? Skip.NotApplicable(reason) : null,
            Unread = snapshot => Unread(id, snapshot),
            Unchecked = snapshot => [.. Unchecked(id, needs ?? [SnapshotPart.Cacerts], snapshot)],
        };

    public static string? NoSecret(TrustSnapshot snapshot) =>
        snapshot.Clusters.Any(c => c.Live.Cacerts is not null) ? null : "no cluster has a readable cacerts secret";

    /// <summary>Runs for every cluster; each finding is about that cluster.</summary>
    public static Func<TrustSnapshot, IEnumerable<Finding>> EachCluster(
        Func<TrustSnapshot, ClusterSnapshot, IEnumerable<Finding>> inspect) =>
        snapshot => snapshot.Clusters.SelectMany(cluster => inspect(snapshot, cluster).Select(finding => finding.In(cluster.Name.Value)));

    /// <summary>Runs for the secret of every cluster that has one.</summary>
    public static Func<TrustSnapshot, IEnumerable<Finding>> EachSecret(
        Func<TrustSnapshot, ClusterSnapshot, SigningBundle, IEnumerable<Finding>> inspect) =>
        EachCluster((snapshot, cluster) => cluster.Bundle is { } bundle ? inspect(snapshot, cluster, bundle) : []);

    public static Func<TrustSnapshot, IEnumerable<Finding>> EachSecret(Func<SigningBundle, IEnumerable<Finding>> inspect) =>
        EachSecret((_, _, bundle) => inspect(bundle));

    /// <summary>Runs for every distinct certificate of every secret.</summary>
    public static Func<TrustSnapshot, IEnumerable<Finding>> EachCertificate(
        Func<SigningBundle, CertificateDocument, IEnumerable<Finding>> inspect) =>
        EachSecret(bundle => bundle.All.SelectMany(entry => inspect(bundle, entry.Certificate)));

    /// <summary>A finding that breaks trust now or later.</summary>
    public static Finding Error(string message, string hint) => Finding.OfMesh(Severity.Error, message, hint);

    /// <summary>A finding that does not break trust.</summary>
    public static Finding Warning(string message, string hint) => Finding.OfMesh(Severity.Warning, message, hint);

    private static IEnumerable<Finding> Unread(string id, TrustSnapshot snapshot)
    {
        foreach (var cluster in snapshot.Clusters)
        {
            // One message for a cluster that cannot be reached at all, instead of one for each object in it.
            foreach (var same in cluster.Unread.GroupBy(u => u.Reason))
            {
                var isWhole = same.Count() == ReportingCheck.Count;
                foreach (var part in (isWhole ? same.Take(1) : same).Where(part => ReportingCheck[part.Kind] == id))
                {
                    var what = isWhole ? $"cluster '{cluster.Name}'" : part.Name;
                    var message = $"Could not check: {what} could not be read. {part.Reason}";
                    yield return Error(message, part.Hint).In(cluster.Name.Value) with { CouldNotCheck = true };
                }
            }
        }
    }

    private static IEnumerable<UncheckedCluster> Unchecked(string id, SnapshotPart[] needs, TrustSnapshot snapshot)
    {
        foreach (var cluster in snapshot.Clusters)
        {
            var lacking = needs.Where(cluster.Lacks).ToList();
            if (lacking.Count > 0)
            {
                var names = string.Join(", ", lacking.Select(Name));
                yield return new UncheckedCluster(cluster.Name.Value, $"{names} could not be read (see {ReportingCheck[lacking[0]]})",
                    Unread: true);
            }
            else if (cluster.Live.Cacerts is null && needs is [SnapshotPart.Cacerts] && id != ReportingCheck[SnapshotPart.Cacerts])
            {
                yield return new UncheckedCluster(cluster.Name.Value, $"no cacerts secret (see {ReportingCheck[SnapshotPart.Cacerts]})",
                    Unread: false);
            }
        }
    }

    private static string Name(SnapshotPart part) => part switch
    {
        SnapshotPart.Cacerts => "cacerts",
        SnapshotPart.SelfSigned => "istio-ca-secret",
        SnapshotPart.RootConfigMaps => "istio-ca-root-cert",
        SnapshotPart.Crl => "istio-ca-crl",
        SnapshotPart.Namespaces => "the namespaces",
        _ => "the mesh configuration",
    };
}
