using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>Sees to it that the store has a root: keeps the one that is there, or issues or imports one. It never overwrites a root.</summary>
public static class RootCaIssue
{
    /// <summary>Keeps, issues or imports the root.</summary>
    /// <param name="store">Where.</param>
    /// <param name="trust">What the user wants.</param>
    /// <param name="keys">Where the key comes from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before the key is made or taken; a root that is being written is written.</param>
    /// <exception cref="MeshTrustException">MT51xx: there is a root that cannot be used as it is. MT10xx: the disk.</exception>
    public static async Task<RootCaOutcome> EnsureAsync(TrustStore store, TrustSpec trust, PendingKeys keys, TimeProvider time, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(trust);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(time);
        using var held = await store.LockAsync([], cancellationToken).ConfigureAwait(false);
        var brought = BroughtRoot.Read(trust);
        if (brought is not null) RequireValid(brought.Certificate, trust.RootCertificateFile!, time);
        if (store.TryReadRoot() is { } there)
        {
            RequireValid(there.Certificate, store.RootCertPath, time);
            if (brought is not null) RequireSame(there, brought, store, trust);
            else RequireNoDrift(there, store, trust);
            return new RootCaOutcome { Kind = IssueKind.Kept, Root = there, Notes = Notes(there, trust, time) };
        }

        if (brought is not null)
        {
            store.WriteRoot(brought.CertificateFile.Span, BroughtRoot.KeyFile(trust));
            return new RootCaOutcome { Kind = IssueKind.Imported, Root = brought, Notes = Notes(brought, trust, time) };
        }

        var key = await keys.TakeAsync(trust.Root.Key, cancellationToken).ConfigureAwait(false);
        var issued = new CertificateIssuer(time).IssueRoot(CertificateProfile.ForRoot(trust.Root), key);
        var root = RootCa.FromIssued(issued.Certificate, key);
        store.WriteRoot(root.CertificateFile.Span, key.ToPem());
        return new RootCaOutcome { Kind = IssueKind.Issued, Root = root, Notes = Notes(root, trust, time) };
    }

    /// <summary>Refuses a root that is not valid today.</summary>
    internal static void RequireValid(CertificateDocument root, string place, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (now > root.NotAfter) throw Fault(PkiProblem.RootExpired(place, root));
        if (now < root.NotBefore) throw Fault(PkiProblem.RootNotYetValid(place, root, now));
    }

    private static void RequireSame(RootCa there, RootCa brought, TrustStore store, TrustSpec trust)
    {
        if (!there.Certificate.Equals(brought.Certificate)) throw Fault(PkiProblem.OtherRootThere(trust.RootCertificateFile!, brought.Certificate, store.RootCertPath, there.Certificate));
    }

    private static void RequireNoDrift(RootCa there, TrustStore store, TrustSpec trust)
    {
        var drift = AuthorityDrift.Between(there.Certificate, trust.Root, location: null, parent: null);
        if (drift.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, [.. drift.Select(d => PkiProblem.RootDrift(store.RootCertPath, d))]);
    }

    private static List<string> Notes(RootCa root, TrustSpec trust, TimeProvider time)
    {
        var notes = new List<string>();
        if (trust.RenewBefore.IsDue(root.Certificate.NotBefore, root.Certificate.NotAfter, time.GetUtcNow()))
        {
            notes.Add($"The root ends on {root.Certificate.NotAfter:yyyy-MM-dd}, within {trust.RenewBefore}: plan its rotation. A root is never renewed by itself.");
        }

        return notes;
    }

    private static MeshTrustException Fault(Problem problem) => new(Stage.CertificateAuthority, problem);
}
