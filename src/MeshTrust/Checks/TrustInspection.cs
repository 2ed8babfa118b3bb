using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>Runs every check over one snapshot.</summary>
public static class TrustInspection
{
    // Which check tells of a part that could not be read: once, not in every check that would have needed it.
    private static readonly Dictionary<SnapshotPart, string> Tellers = new()
    {
        [SnapshotPart.Cacerts] = "MT5005",
        [SnapshotPart.SelfSigned] = "MT5013",
        [SnapshotPart.RootConfigMaps] = "MT5014",
        [SnapshotPart.Crl] = "MT5023",
        [SnapshotPart.Namespaces] = "MT5024",
        [SnapshotPart.MeshConfig] = "MT5024",
    };

    /// <summary>Every check, in the order of the ids. The numbers 15, 16 and 22 need running pods or a rotation, and are reserved.</summary>
    public static IReadOnlyList<TrustCheck> Checks() => Checks(TrustProof.Prove);

    /// <summary>The checks about the way from one cluster to another: they need a hand on the nodes, which only the provider <c>kind</c> has.</summary>
    public static IReadOnlyList<TrustCheck> PeerChecks() => [new PeerApiServerCheck(), new PeerRouteCheck()];

    /// <summary>All findings of all checks, the matrix and the clusters. It never stops at a fault and never throws for what it reads.</summary>
    public static TrustReport Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var proof = new Lazy<TrustMatrix>(() => TrustProof.Prove(snapshot));
        IReadOnlyList<TrustCheck> checks = Checks(_ => proof.Value);
        return Inspect(snapshot, snapshot.Peers.Count == 0 ? checks : [.. checks, .. PeerChecks()], proof);
    }

    /// <summary>The same with other checks.</summary>
    internal static TrustReport Inspect(TrustSnapshot snapshot, IReadOnlyList<TrustCheck> checks, Lazy<TrustMatrix> proof)
    {
        var reports = new CheckReport[checks.Count];
        // The proof takes longest and is asked for first; the others run beside it.
        Parallel.For(-1, checks.Count, i =>
        {
            if (i >= 0) reports[i] = Run(checks[i], snapshot);
            else Try(() => proof.Value);
        });
        return new TrustReport
        {
            Mesh = snapshot.Topology.Name,
            At = snapshot.At,
            Clusters = [.. snapshot.Clusters.Select(Summarise)],
            Matrix = Try(() => proof.Value) ?? new TrustMatrix { Pairs = [], PathValidations = 0, Handshakes = 0, Method = "The proof could not be made." },
            Checks = [.. reports.OrderBy(r => r.Id, StringComparer.Ordinal)],
            TrustStore = snapshot.Files?.Directory,
            Drift = Drift(snapshot),
        };
    }

    private static IReadOnlyList<TrustCheck> Checks(Func<TrustSnapshot, TrustMatrix> prove) =>
    [
        new SameRootCheck(), new ProbeLeafCheck(prove), new KeyMatchCheck(), new ChainOrderCheck(), new SecretLayoutCheck(), new PemHygieneCheck(),
        new KeyKindCheck(), new CaBitsCheck(), new PathLengthCheck(), new ValidityCheck(), new NestingCheck(), new RemainingLifeCheck(),
        new ActiveCaCheck(), new RootConfigMapCheck(), new DistinctKeysCheck(), new NameConstraintsCheck(), new KeyIdentifierCheck(),
        new SerialNumberCheck(), new ReplaceableSecretCheck(), new CrlCheck(), new MeshSettingsCheck(), new FilesAndLintCheck(),
    ];

    private static CheckReport Run(TrustCheck check, TrustSnapshot snapshot)
    {
        var findings = Unread(check, snapshot).ToList();
        var unread = Unchecked(check, snapshot);
        string? note = null;
        try
        {
            note = check.NotApplicable(snapshot);
            if (note is null) findings.AddRange(check.Inspect(snapshot));
        }
        // A fault in one check must not hide what the others found, and must not pass for a pass.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            findings.Add(new TrustFinding
            {
                Id = check.Id,
                Severity = Severity.Error,
                Message = $"The check {check.GetType().Name} itself ended in {fault.GetType().Name}, so this rule is not proven.",
                Hint = "This is a defect of MeshTrust: please report it with the version and this line.",
            });
        }

        return new CheckReport
        {
            Id = check.Id,
            Title = check.Title,
            Citation = check.Citation,
            Outcome = findings.Any(f => f is { Severity: Severity.Error, CouldNotCheck: false }) ? CheckOutcome.Failed
                : findings.Any(f => f.CouldNotCheck) || unread.Any(u => u.Unread) ? CheckOutcome.CouldNotCheck
                : note is not null ? CheckOutcome.NotApplicable
                : findings.Count > 0 ? CheckOutcome.Warned
                : CheckOutcome.Passed,
            Note = note,
            Unchecked = note is null ? unread : [.. unread.Where(u => u.Unread)],
            Findings = [.. findings.OrderByDescending(f => f.Severity)],
        };
    }

    private static IEnumerable<TrustFinding> Unread(TrustCheck check, TrustSnapshot snapshot)
    {
        foreach (var cluster in snapshot.Clusters)
        {
            // One sentence for a cluster that does not answer at all, rather than one for each thing in it.
            foreach (var same in cluster.Unread.GroupBy(u => u.Reason))
            {
                var whole = same.Count() == Tellers.Count;
                foreach (var part in whole ? same.Take(1) : same)
                {
                    if (Tellers[part.Kind] != check.Id) continue;
                    yield return new TrustFinding
                    {
                        Id = check.Id,
                        Severity = Severity.Error,
                        Cluster = cluster.Name.Value,
                        Message = $"Could not check: {(whole ? $"cluster '{cluster.Name}'" : part.Name)} could not be read. {part.Reason}",
                        Hint = part.Hint,
                        CouldNotCheck = true,
                    };
                }
            }
        }
    }

    private static List<UncheckedCluster> Unchecked(TrustCheck check, TrustSnapshot snapshot)
    {
        var found = new List<UncheckedCluster>();
        foreach (var cluster in snapshot.Clusters)
        {
            var lacking = check.Needs.Where(cluster.Lacks).ToList();
            if (lacking.Count > 0) found.Add(new UncheckedCluster(cluster.Name.Value, $"{string.Join(", ", lacking.Select(Word))} could not be read (see {Tellers[lacking[0]]})", Unread: true));
            else if (cluster.Cacerts is null && check.Needs is [SnapshotPart.Cacerts] && check.Id != "MT5005") found.Add(new UncheckedCluster(cluster.Name.Value, "it has no cacerts (see MT5005)", Unread: false));
        }

        return found;
    }

    private static string Word(SnapshotPart part) => part switch
    {
        SnapshotPart.Cacerts => "cacerts",
        SnapshotPart.SelfSigned => "istio-ca-secret",
        SnapshotPart.RootConfigMaps => "istio-ca-root-cert",
        SnapshotPart.Crl => "istio-ca-crl",
        SnapshotPart.Namespaces => "the namespaces",
        _ => "the mesh configuration",
    };

    private static T? Try<T>(Func<T> make)
        where T : class
    {
        try
        {
            return make();
        }
        // MT5002 asks for the same value and tells of the fault.
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return null;
        }
    }

    private static ClusterReport Summarise(ClusterSnapshot cluster) => new()
    {
        Name = cluster.Name.Value,
        Context = cluster.Context,
        Server = cluster.Server?.ToString(),
        Roots = [.. cluster.Bundle?.Roots.Distinct().Select(Summarise) ?? []],
        Intermediate = cluster.Bundle?.Ca is { } ca ? Summarise(ca) : null,
        SecretVersion = cluster.Cacerts?.ResourceVersion,
        SecretCreatedAt = cluster.Cacerts?.CreatedAt,
    };

    private static CertificateSummary Summarise(CertificateDocument certificate) => new(certificate.Subject, certificate.SerialNumber, certificate.Sha256, certificate.NotAfter);

    private static List<FileDrift> Drift(TrustSnapshot snapshot)
    {
        if (snapshot.Files is not { } store) return [];
        var drift = new List<FileDrift>();
        foreach (var cluster in snapshot.Clusters.Where(c => !c.Lacks(SnapshotPart.Cacerts)))
        {
            foreach (var key in SigningBundle.Keys)
            {
                var file = store.Find($"{cluster.Name}/{key}");
                var held = cluster.Cacerts is { } secret && secret.Data.TryGetValue(key, out var bytes) ? bytes : null;
                if (file is null && held is null) continue;
                drift.Add((file, held) switch
                {
                    (null, _) => new FileDrift(cluster.Name.Value, key, null, "The cluster holds it, the trust store does not."),
                    (_, null) => new FileDrift(cluster.Name.Value, key, null, "The trust store holds it, the cluster does not: run PushSecrets."),
                    _ when file.Content.Span.SequenceEqual(held) => new FileDrift(cluster.Name.Value, key, true, null),
                    _ => new FileDrift(cluster.Name.Value, key, false, "The cluster holds other bytes than the trust store: run PushSecrets, or see who else writes the secret."),
                });
            }
        }

        return drift;
    }
}
