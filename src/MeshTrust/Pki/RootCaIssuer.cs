using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>What a run did with CA material.</summary>
public enum IssueKind
{
    /// <summary>It existed and was kept, byte for byte.</summary>
    Kept,

    /// <summary>It did not exist and was issued.</summary>
    Issued,

    /// <summary>It existed and was replaced: key, certificate and chain. The reason is reported.</summary>
    Reissued,

    /// <summary>Key and certificate were kept; <c>cert-chain.pem</c>, or another file in the wrong format, was rewritten.</summary>
    Rechained,

    /// <summary>The user's own root, or an intermediate that the user's CA signed, was copied into the store.</summary>
    Imported,
}

/// <summary>What a run did with the root, or with one cluster's four files.</summary>
/// <param name="Kind">A root is issued, imported or kept, never reissued.</param>
/// <param name="Material">The files as they are now.</param>
/// <typeparam name="T"><see cref="RootCa"/> or <see cref="ClusterCacerts"/>.</typeparam>
public sealed record IssueOutcome<T>(IssueKind Kind, T Material)
{
    /// <summary>Why the files were replaced, as a sentence; null if they were kept or new.</summary>
    public string? Reason { get; init; }

    /// <summary>Where the replaced files are kept (mode 0600) until the next successful Verify; empty if none was replaced.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>The requested expiry, if the root expires earlier and capped it; else null.</summary>
    public DateTimeOffset? ClampedFrom { get; init; }

    /// <summary>What the user should know, as sentences: a root close to expiry, for instance.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>Provides the store's root: keeps the existing one, or issues or imports one. It never overwrites a root.</summary>
public static class RootCaIssuer
{
    /// <summary>Keeps, issues or imports the root.</summary>
    /// <param name="store">The store.</param>
    /// <param name="trust">What the user requests.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before the key is generated or taken; a root that is being written is completed.</param>
    /// <exception cref="MeshTrustException">MT51xx: the existing root cannot be used as it is. MT10xx: an I/O error.</exception>
    public static async Task<IssueOutcome<RootCa>> EnsureAsync(
        TrustStore store, TrustSpec trust, TimeProvider time, CancellationToken cancellationToken = default)
    {
        using var keys = new KeyPool();
        return await EnsureAsync(store, trust, keys, time, cancellationToken).ConfigureAwait(false);
    }

    internal static async Task<IssueOutcome<RootCa>> EnsureAsync(
        TrustStore store, TrustSpec trust, KeyPool keys, TimeProvider time, CancellationToken cancellationToken = default)
    {
        using var held = await store.LockAsync([], cancellationToken).ConfigureAwait(false);
        var external = ExternalRoot.Read(trust);
        if (external is not null)
        {
            RequireValid(external, trust.RootCertificateFile!, time);
            RequireNamesAllowed(external, trust.RootCertificateFile!, trust);
        }

        if (store.TryReadRoot() is { } there && (external is null || File.Exists(store.RootCertPath)))
        {
            RequireValid(there, store.RootCertPath, time);
            if (external is not null) RequireSame(there, external, store, trust);
            else RequireNoDrift(there, store, trust);
            var kept = Outcome(IssueKind.Kept, there);
            if (there.Key is null || trust.RootPassphrase is null) return kept;
            store.ReplaceRootKey(AtRest(there, [], trust));
            return kept with { Reason = "root-key.pem is encrypted now." };
        }

        if (external is not null)
        {
            store.WriteRoot(external, AtRest(external, ExternalRoot.KeyFile(trust), trust));
            return Outcome(IssueKind.Imported, external);
        }

        var requests = new CertificateRequests(store);
        if (requests.Any)
            throw Fault("MT5134", requests.Location, "Requests wait for the signature of your CA, and this run would create another root.",
                "Run ImportCertificates with what your CA signed. For a root of MeshTrust's own, remove this directory.");
        var key = await keys.RentAsync(trust.Root.Key, cancellationToken).ConfigureAwait(false);
        var issued = new CertificateIssuer(time).IssueRoot(CertificateProfile.ForRoot(trust.Root), key);
        var root = RootCa.FromIssued(issued.Certificate, key);
        store.WriteRoot(root, AtRest(root, key.ToPem(), trust));
        return Outcome(IssueKind.Issued, root);

        IssueOutcome<RootCa> Outcome(IssueKind kind, RootCa root) => new(kind, root) { Notes = [.. Notes(kind, root, trust, time)] };
    }

    /// <summary>Takes a root from elsewhere into the store; keeps one that is there already.</summary>
    /// <param name="store">The store.</param>
    /// <param name="trust">The names that are issued below it.</param>
    /// <param name="external">The root.</param>
    /// <param name="key">The file of its key.</param>
    /// <param name="place">Where it comes from, for messages.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before anything is written.</param>
    /// <exception cref="MeshTrustException">MT5110: the store has another root. MT51xx: it cannot be used.</exception>
    internal static async Task<IssueOutcome<RootCa>> ImportAsync(
        TrustStore store, TrustSpec trust, RootCa external, ReadOnlyMemory<byte> key, string place, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync([], cancellationToken).ConfigureAwait(false);
        RequireValid(external, place, time);
        RequireNamesAllowed(external, place, trust);
        if (store.TryReadRoot() is not { } there)
        {
            store.WriteRoot(external, AtRest(external, key.Span, trust));
            return new(IssueKind.Imported, external);
        }

        if (there.Roots.Contains(external.Certificate)) return new(IssueKind.Kept, there);
        throw Fault("MT5110", store.RootCertPath, $"It holds {there.Certificate}, but {place} holds {external.Certificate}.",
            "A root is never replaced. Choose another directory with --certs-dir for the root of the cluster.");
    }

    /// <summary>The file of the key as the store keeps it: encrypted, if the user names a passphrase.</summary>
    private static ReadOnlySpan<byte> AtRest(RootCa root, ReadOnlySpan<byte> file, TrustSpec trust) =>
        trust.RootPassphrase is not { } passphrase || EncryptedKeyPem.TryParse(CacertsFile.RootKey, file, out _) is not null ? file
            : EncryptedKeyPem.Write(root.Key!, passphrase);

    /// <summary>All that issues must be valid now. Where nothing can be issued, one root that is valid is enough.</summary>
    internal static void RequireValid(RootCa root, string place, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (!root.HasKey && root.Roots.Any(c => c.NotBefore <= now && now <= c.NotAfter)) return;
        foreach (var ca in root.Chain)
        {
            var what = ca.Equals(root.Certificate) ? "The root" : $"The CA '{ca.Subject}'";
            if (now > ca.NotAfter)
                throw Fault("MT5106", place,
                    $"{what} expired on {Text.Time(ca.NotAfter)}.",
                    "Nothing can be issued under it. Move the directory away and run RootCa for a new root; "
                    + "clusters that trust the old one must be rotated.");
            if (now < ca.NotBefore)
                throw Fault("MT5106", place,
                    $"{what} is not valid before {Text.Time(ca.NotBefore)}, but this machine's clock says {Text.Time(now)}.",
                    "Correct the clock, or wait.");
        }
    }

    /// <summary>
    /// Every name in what MeshTrust and istiod issue below must be allowed, also those of istiod's own certificate
    /// (istio pilot/pkg/bootstrap/server.go, getDNSNames): proxies refuse it if one is not.
    /// </summary>
    internal static void RequireNamesAllowed(RootCa root, string place, TrustSpec trust)
    {
        if (ForbiddenNames(root.Chain, place, trust) is { Count: > 0 } found)
            throw new MeshTrustException(Stage.CertificateAuthority, found);
    }

    internal static IReadOnlyList<Problem> ForbiddenNames(IEnumerable<CertificateDocument> chain, string place, TrustSpec trust)
    {
        var (names, space) = (trust.Intermediate.DnsNames, trust.Namespace);
        names = [.. names, .. CertificateProfile.IstiodNames(space)];
        return
        [
            .. from ca in chain
               let faults = names.Distinct().Select(name => NameConstraints.AgainstDns(ca, name))
                   .Append(NameConstraints.AgainstTrustDomain(ca, trust.TrustDomain))
                   .Append(NameConstraints.AgainstSubject(ca, trust.Intermediate))
                   .OfType<string>().ToList()
               where faults.Count > 0
               select new Problem("MT5118", place,
                   $"The name constraints of '{ca.Subject}' forbid what is issued below it: it {string.Join("; it ", faults)}.",
                   "Use a CA without name constraints, or one that permits these names (--trust-domain, --istio-namespace, "
                   + "--intermediate-san-dns and --intermediate-org change them)."),
        ];
    }

    private static void RequireSame(RootCa there, RootCa external, TrustStore store, TrustSpec trust)
    {
        if (there.Roots.Contains(external.Certificate) && (!there.HasKey || there.Chain[0].Equals(external.Chain[0]))) return;
        throw Fault("MT5110", trust.RootCertificateFile!,
            $"You provided the root {external.Certificate}, but {store.RootCertPath} holds {there.Certificate}.",
            "A root is never replaced. Provide none to keep the existing root, or choose another directory for the new one.");
    }

    private static void RequireNoDrift(RootCa there, TrustStore store, TrustSpec trust)
    {
        var drift = Drift(there, trust);
        if (drift.Count == 0) return;
        throw new MeshTrustException(Stage.CertificateAuthority, [.. drift.Select(difference => new Problem("MT5107", store.RootCertPath,
            $"This root was created with other options: {difference}.",
            "A root is never replaced. Change the options to match it. For a new mesh, choose another directory or move this one away."))]);
    }

    /// <summary>How a root differs from the request. What another CA issued was not issued with these options: none then.</summary>
    internal static IReadOnlyList<string> Drift(RootCa root, TrustSpec trust)
    {
        // istiod's own root has no CN.
        var isForeign = !root.HasKey || root.Chain.Count > 1 || root.Certificate.SubjectAttributes.All(a => a.Type != "CN");
        return isForeign ? [] : CaConfigDrift.Between(root.Certificate, trust.Root, location: null, issuers: []);
    }

    private static IEnumerable<string> Notes(IssueKind kind, RootCa root, TrustSpec trust, TimeProvider time)
    {
        var top = root.Certificate;
        if (kind == IssueKind.Imported && !top.IsSelfIssued)
            yield return $"The file does not hold '{top.Issuer}', so workloads will trust '{top.Subject}' itself. To let them trust "
                + "the root, add its certificate to the file before any cluster has this one.";
        if (!trust.RenewBefore.IsDue(top.NotBefore, top.NotAfter, time.GetUtcNow())) yield break;
        var end = $"{top.NotAfter:yyyy-MM-dd}, within {trust.RenewBefore}";
        yield return $"The root expires on {end}: plan its rotation. A root is never renewed automatically.";
    }

    private static MeshTrustException Fault(string id, string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem(id, location, message, hint));
}

/// <summary>The user's own root: two files, read as strictly as those of the store.</summary>
internal static class ExternalRoot
{
    /// <summary>The root, or null if the user provides none.</summary>
    internal static RootCa? Read(TrustSpec trust)
    {
        if (trust.RootCertificateFile is null && trust.RootKeyFile is null) return null;
        if (trust.RootCertificateFile is null) throw Half(trust.RootKeyFile!, "certificate");
        if (trust.RootKeyFile is null) throw Half(trust.RootCertificateFile, "key");
        return RootCa.FromFiles(
            trust.RootCertificateFile, ReadFile(trust.RootCertificateFile), trust.RootKeyFile, KeyFile(trust), [],
            "Name the PEM files of the certificate and of its key.", (key, isRsa) => key.Open(trust.RootPassphrase, isRsa));
    }

    /// <summary>A stored root, with the key that the user brings for this run if the store has none. That key is not stored.</summary>
    internal static RootCa WithKey(RootCa stored, TrustSpec trust) =>
        !stored.HasKey && Read(trust) is { } own && stored.Roots.Contains(own.Certificate) ? own : stored;

    /// <summary>The key file, unchanged, so that the store holds what the user provided, byte for byte.</summary>
    internal static byte[] KeyFile(TrustSpec trust) => ReadFile(trust.RootKeyFile!);

    private static byte[] ReadFile(string path) => StoreFile.Read(path) ?? throw Fault(path, "The file does not exist.",
        "Name the PEM file of your root. Or provide none: the root in the directory is then kept, or a new one is created.");

    private static MeshTrustException Half(string present, string missing) => Fault(present,
        $"A root of your own needs a certificate and its key; the {missing} is missing.", $"Name the file of the {missing} too.");

    private static MeshTrustException Fault(string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem("MT5109", location, message, hint));
}
