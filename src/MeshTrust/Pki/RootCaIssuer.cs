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

    /// <summary>The user's own root was copied into the store.</summary>
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
        if (external is not null) RequireValid(external.Certificate, trust.RootCertificateFile!, time);
        if (store.TryReadRoot() is { } there)
        {
            RequireValid(there.Certificate, store.RootCertPath, time);
            if (external is not null) RequireSame(there, external, store, trust);
            else RequireNoDrift(there, store, trust);
            return Outcome(IssueKind.Kept, there);
        }

        if (external is not null)
        {
            store.WriteRoot(external.CertificateFile.Span, ExternalRoot.KeyFile(trust));
            return Outcome(IssueKind.Imported, external);
        }

        var key = await keys.RentAsync(trust.Root.Key, cancellationToken).ConfigureAwait(false);
        var issued = new CertificateIssuer(time).IssueRoot(CertificateProfile.ForRoot(trust.Root), key);
        var root = RootCa.FromIssued(issued.Certificate, key);
        store.WriteRoot(root.CertificateFile.Span, key.ToPem());
        return Outcome(IssueKind.Issued, root);

        IssueOutcome<RootCa> Outcome(IssueKind kind, RootCa root) => new(kind, root) { Notes = Notes(root.Certificate, trust, time) };
    }

    internal static void RequireValid(CertificateDocument root, string place, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (now > root.NotAfter)
            throw Fault("MT5106", place,
                $"The root expired on {Text.Time(root.NotAfter)}.",
                "Nothing can be issued under it. Move the directory away and run RootCa for a new root; "
                + "clusters that trust the old one must be rotated.");
        if (now < root.NotBefore)
            throw Fault("MT5106", place,
                $"The root is not valid before {Text.Time(root.NotBefore)}, but this machine's clock says {Text.Time(now)}.",
                "Correct the clock, or wait.");
    }

    private static void RequireSame(RootCa there, RootCa external, TrustStore store, TrustSpec trust)
    {
        if (there.Certificate.Equals(external.Certificate)) return;
        throw Fault("MT5110", trust.RootCertificateFile!,
            $"You provided the root {external.Certificate}, but {store.RootCertPath} holds {there.Certificate}.",
            "A root is never replaced. Provide none to keep the existing root, or choose another directory for the new one.");
    }

    private static void RequireNoDrift(RootCa there, TrustStore store, TrustSpec trust)
    {
        var drift = CaConfigDrift.Between(there.Certificate, trust.Root, location: null, parent: null);
        if (drift.Count == 0) return;
        throw new MeshTrustException(Stage.CertificateAuthority, [.. drift.Select(difference => new Problem("MT5107", store.RootCertPath,
            $"This root was created with other options: {difference}.",
            "A root is never replaced. Change the options to match it. For a new mesh, choose another directory or move this one away."))]);
    }

    private static string[] Notes(CertificateDocument root, TrustSpec trust, TimeProvider time)
    {
        if (!trust.RenewBefore.IsDue(root.NotBefore, root.NotAfter, time.GetUtcNow())) return [];
        var end = $"{root.NotAfter:yyyy-MM-dd}, within {trust.RenewBefore}";
        return [$"The root expires on {end}: plan its rotation. A root is never renewed automatically."];
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
        return RootCa.FromFiles(trust.RootCertificateFile, ReadFile(trust.RootCertificateFile), trust.RootKeyFile, KeyFile(trust));
    }

    /// <summary>The key file, unchanged, so that the store holds what the user provided, byte for byte.</summary>
    internal static byte[] KeyFile(TrustSpec trust) => ReadFile(trust.RootKeyFile!);

    private static byte[] ReadFile(string path) => StoreFile.Read(path) ?? throw Fault(path, "The file does not exist.",
        "Name the PEM file of your root. Or provide none: the root in the directory is then kept, or a new one is created.");

    private static MeshTrustException Half(string present, string missing) => Fault(present,
        $"A root of your own needs a certificate and its key; the {missing} is missing.", $"Name the file of the {missing} too.");

    private static MeshTrustException Fault(string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem("MT5109", location, message, hint));
}
