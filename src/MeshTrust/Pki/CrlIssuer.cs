using System.Text;
using MeshTrust.IO;
using MeshTrust.Settings;
using Org.BouncyCastle.Math;

namespace MeshTrust.Pki;

/// <summary>What happened to the CRLs of a store.</summary>
/// <param name="Revoked">What is revoked now and was not before.</param>
/// <param name="Issued">How many lists are new.</param>
/// <param name="Lists">All lists of the file.</param>
/// <param name="Notes">What the user should know, as sentences.</param>
internal sealed record CrlOutcome(
    IReadOnlyList<string> Revoked, int Issued, IReadOnlyList<CrlDocument> Lists, IReadOnlyList<string> Notes);

/// <summary>
/// Keeps <c>ca-crl.pem</c> of a store complete: one list of every CA above a workload of any cluster. If one is missing, istiod drops the
/// whole update and sidecars reject their peers. A store without the file does not use CRLs. The lists record what is revoked.
/// </summary>
internal sealed class CrlIssuer
{
    /// <summary>The second half is for renewal: a store that nobody uses for three months still has valid lists.</summary>
    internal static TimeSpan Lifetime { get; } = TimeSpan.FromDays(180);

    private readonly TrustStore _store;
    private readonly DateTimeOffset _now;
    private readonly RevocationLists _held;
    private readonly RootCa _root;
    private readonly IReadOnlyList<ClusterCacerts> _clusters;
    private readonly List<Authority> _authorities = [];
    private readonly List<Problem> _problems = [];

    /// <summary>A CA by name and key.</summary>
    /// <param name="Ca">One of its certificates.</param>
    /// <param name="Open">Opens its key; null if the store does not have it.</param>
    /// <param name="IsNeeded">Whether a workload's certificate chains to it.</param>
    /// <param name="IsLocked">Whether this run has no passphrase for its key: then only what must be signed asks for it.</param>
    private sealed record Authority(CertificateDocument Ca, Func<CertificateSigner>? Open, bool IsNeeded, bool IsLocked)
    {
        internal bool MaySign => Ca.KeyUsage?.HasFlag(CertificateKeyUsage.CrlSign) != false;
    }

    private sealed record Target(Authority Issuer, ReadOnlyMemory<byte> Serial, string Name);

    /// <summary>Reads the store. The caller has its lock.</summary>
    private CrlIssuer(TrustStore store, MeshTopology topology, TimeProvider time)
    {
        _store = store;
        var now = time.GetUtcNow();
        _now = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        _held = store.ReadCrls() ?? new RevocationLists([], []);
        foreach (var defect in _held.Defects)
            Refuse("MT5150", store.CrlPath, defect,
                "Keep only X509 CRL blocks in it, or restore it from your backup: it records what is revoked.");
        _root = ExternalRoot.WithKey(store.ReadRoot(), topology.Trust);
        _clusters = [.. topology.Clusters.Select(c => store.ReadCacerts(c.Name))];
        foreach (var ca in InUse) Add(ca, null, isNeeded: true);
        foreach (var cluster in _clusters) Add(cluster.Certificate, () => new CertificateSigner(cluster.Key), isNeeded: true);
        var hasPassphrase = topology.Trust.RootPassphrase is not null;
        foreach (var root in (RootCa?[])[_root, store.Next.TryReadRoot()])
        {
            if (root?.HasKey is not true) continue;
            Add(root.Chain[0], () => root.OpenSigner(topology.Trust), isLocked: root.Key is null && !hasPassphrase);
        }

        // Workloads may still have certificates of an intermediate that was replaced.
        foreach (var previous in topology.Clusters.Select(c => store.ReadPrevious(c.Name)).OfType<ClusterCacerts>())
            Add(previous.Certificate, () => new CertificateSigner(previous.Key));

        void Add(CertificateDocument ca, Func<CertificateSigner>? open, bool isNeeded = false, bool isLocked = false)
        {
            var known = _authorities.FindIndex(a => a.Ca.IsRenewalOf(ca));
            if (known < 0) _authorities.Add(new Authority(ca, open, isNeeded, isLocked));
            else if (_authorities[known].Open is null) _authorities[known] = _authorities[known] with { Open = open, IsLocked = isLocked };
        }
    }

    /// <summary>Issues the lists that are missing or in the second half of their life; null if the store does not use CRLs.</summary>
    /// <exception cref="MeshTrustException">MT5150 to MT5152, MT51xx, MT10xx: all problems at once.</exception>
    internal static async Task<CrlOutcome?> KeepAsync(
        TrustStore store, MeshTopology topology, TimeProvider time, CancellationToken cancellationToken) =>
        File.Exists(store.CrlPath) ? await IssueAsync(store, topology, null, false, time, cancellationToken).ConfigureAwait(false) : null;

    /// <summary>Issues a new list of every CA whose key is there. From then on the store uses CRLs.</summary>
    /// <exception cref="MeshTrustException">As for <see cref="KeepAsync"/>.</exception>
    internal static Task<CrlOutcome> RenewAsync(
        TrustStore store, MeshTopology topology, TimeProvider time, CancellationToken cancellationToken) =>
        IssueAsync(store, topology, null, true, time, cancellationToken);

    /// <summary>Revokes the previous intermediates of clusters, certificates in files, and intermediates by their serial numbers.</summary>
    /// <exception cref="MeshTrustException">As for <see cref="KeepAsync"/>, and MT5153, MT5154, MT5102, MT5120.</exception>
    internal static Task<CrlOutcome> RevokeAsync(
        TrustStore store, MeshTopology topology, RunSpec run, TimeProvider time, CancellationToken cancellationToken) =>
        IssueAsync(store, topology, run, false, time, cancellationToken);

    private static async Task<CrlOutcome> IssueAsync(
        TrustStore store, MeshTopology topology, RunSpec? run, bool all, TimeProvider time, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync([], cancellationToken).ConfigureAwait(false);
        var issuer = new CrlIssuer(store, topology, time);
        return issuer.Issue(run is null ? [] : [.. issuer.Targets(run).OfType<Target>()], all);
    }

    private IEnumerable<CertificateDocument> InUse => _clusters.SelectMany(c => c.Chain);

    private IEnumerable<Target?> Targets(RunSpec run)
    {
        foreach (var cluster in run.Clusters)
        {
            yield return _store.ReadPrevious(cluster) is { } previous
                ? TargetOf(cluster.Value, previous.Certificate)
                : Refuse("MT5154", cluster.Value, "It has no previous intermediate that could be revoked.",
                    $"Run --target=RotateIntermediates --cluster={cluster} first: it replaces the one in use and keeps it. To revoke "
                    + "another certificate, pass --file or --serial.");
        }

        foreach (var path in run.Files)
        {
            var file = PemDocument.Parse(path, StoreFile.Read(path));
            yield return file.Certificates.Count > 0
                ? TargetOf(path, file.Certificates[0])
                : Refuse(File.Exists(path) ? "MT5102" : ProblemCodes.NoFile, path,
                    File.Exists(path) ? file.Defects.DefaultIfEmpty("It has no certificate.").First() : "The file does not exist.",
                    "Use --file with a PEM file. The first certificate in it is revoked.");
        }

        foreach (var text in run.Serials)
        {
            var (issuer, serial) = (_root.Chain[0], new BigInteger(1, Convert.FromHexString(text)).ToByteArray());
            var used = InUse.FirstOrDefault(c => c.NamesIssuer(issuer) && c.SerialBytes.Span.SequenceEqual(serial));
            yield return used is not null ? RefuseUsed("--serial", used) : TargetOf("--serial", issuer, serial, text);
        }
    }

    private Target? TargetOf(string where, CertificateDocument certificate)
    {
        if (InUse.Contains(certificate)) return RefuseUsed(where, certificate);
        var subject = certificate.Subject.Length > 0 ? certificate.Subject : string.Join(", ", certificate.Uris);
        var name = $"{certificate.SerialNumber} ({subject})";
        return _authorities.Find(a => a.Ca.Issued(certificate) && !certificate.IsSelfIssued) is { } issuer
            ? TargetOf(where, issuer.Ca, certificate.SerialBytes, name)
            : Refuse("MT5154", where, $"{name} was issued by '{certificate.Issuer}', which is not a CA of this store.",
                "Revoke it where that CA is kept. A root that was replaced needs no CRL: nothing trusts it.");
    }

    private Target? TargetOf(string where, CertificateDocument issuer, ReadOnlyMemory<byte> serial, string name) =>
        _authorities.Find(a => a.Ca.IsRenewalOf(issuer)) is { Open: not null } authority
            ? new Target(authority, serial, $"{name}, issued by {issuer.Subject}")
            : Refuse("MT5152", where, $"The key of '{issuer.Subject}' is not in the store, so its CRL cannot be issued.", KeyHint(issuer));

    private CrlOutcome Issue(IReadOnlyList<Target> targets, bool all)
    {
        foreach (var authority in _authorities.Where(a => a.IsNeeded)) Require(authority);
        if (_problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, _problems);
        var (lists, revoked, notes, issued) = (new List<CrlDocument>(), new List<string>(), new List<string>(), 0);
        foreach (var authority in _authorities)
        {
            var (ca, list) = (authority.Ca, _held.Of(authority.Ca));
            var added = targets.Where(t => t.Issuer == authority && list?.Revokes(t.Serial) != true).DistinctBy(t => t.Name).ToList();
            revoked.AddRange(added.Select(t => t.Name));
            var isDue = list is null || list.Left(_now) < (authority.IsLocked ? 0 : 0.5);
            if (authority is { Open: { } open, MaySign: true } && (all || isDue || added.Count > 0))
            {
                using var signer = open();
                list = CrlDocument.Issue(ca, signer, list, added.Select(t => t.Serial), _now, Lifetime);
                issued++;
            }

            if (list is not null) lists.Add(list);
            else if (all || targets.Count > 0)
                notes.Add($"'{ca.Subject}' ({ca.SerialNumber}) was replaced and may not sign CRLs: once the CRLs are pushed, "
                    + "sidecars reject the certificates that it issued.");
            if (list?.Left(_now) < CrlDocument.LateLeft)
                notes.Add($"The CRL of '{ca.Subject}' ends on {Text.Time(list.NextUpdate!.Value)}, and this run does not have its key. "
                    + "Sidecars then reject every workload. Run RenewCrls before, with the key or its passphrase, or add a newer CRL.");
        }

        // Those of CAs that are gone from the store, until they end: workloads may have certificates of them.
        lists.AddRange(_held.Lists.Where(l => l.NextUpdate > _now && !_authorities.Any(a => l.IsOf(a.Ca))));
        var content = Encoding.ASCII.GetBytes(string.Concat(lists.Select(l => l.ToPem())));
        DiskFault.Report(Stage.CertificateAuthority, _store.CrlPath,
            () => AtomicFile.ReplaceIfChanged(_store.CrlPath, content, secret: false));
        return new CrlOutcome(revoked, issued, lists, notes);
    }

    /// <summary>istiod drops the whole update, with new keys too, if a list is missing or its CA may not sign it.</summary>
    private void Require(Authority authority)
    {
        var (ca, owner) = (authority.Ca, OwnerOf(authority.Ca));
        if (!authority.MaySign)
        {
            Refuse("MT5151", owner?.Value ?? ca.Subject,
                $"'{ca.Subject}' may not sign CRLs: its key usage lacks cRLSign, as with Istio's Makefile.",
                ca.IsSelfIssued ? "Change the root, which replaces the intermediates too: --target=RotateRoot. If that is under way, move "
                    + $"{CacertsFile.Crl} out of the trust store until it has ended."
                : owner is not null ? $"Replace it: --target=RotateIntermediates --cluster={owner}."
                : "Let a CA issue for the clusters that may sign CRLs.");
        }
        else if (authority.Open is null && !(_held.Of(ca)?.NextUpdate >= _now))
        {
            Refuse("MT5152", _store.CrlPath, $"It has no valid CRL of '{ca.Subject}', whose key is not in the store.", KeyHint(ca));
        }
    }

    private string KeyHint(CertificateDocument ca) => _root.Roots.Contains(ca)
        ? "Put the root key into the store for this run, or pass --rootca-cert and --rootca-key. If another CA keeps the key, add the CRL "
            + $"that it publishes, in PEM form, to {_store.CrlPath}."
        : $"Add the CRL that this CA publishes, in PEM form, to {_store.CrlPath}.";

    private Target? RefuseUsed(string where, CertificateDocument ca) => Refuse("MT5153", where,
        $"{ca} is in use: revoking it would stop the mesh.", OwnerOf(ca) is { } owner
            ? $"Run --target=RotateIntermediates --cluster={owner}, and wait until the workloads have new certificates: 12 hours by "
                + $"default. Then run --target=Revoke --cluster={owner}."
            : "A root cannot revoke itself, and every certificate depends on it. Replace it with --target=RotateRoot.");

    private ClusterName? OwnerOf(CertificateDocument ca) => _clusters.FirstOrDefault(c => c.Certificate.IsRenewalOf(ca))?.Cluster;

    private Target? Refuse(string id, string location, string message, string hint)
    {
        _problems.Add(new Problem(id, location, message, hint));
        return null;
    }
}
