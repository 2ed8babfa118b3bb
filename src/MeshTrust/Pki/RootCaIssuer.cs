using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>What became of CA material in a run.</summary>
public enum IssueKind
{
    /// <summary>It was there and is as it was, byte for byte.</summary>
    Kept,

    /// <summary>It was not there and was issued.</summary>
    Issued,

    /// <summary>It was there and was replaced: key, certificate and chain. The reason is reported.</summary>
    Reissued,

    /// <summary>Key and certificate are as they were; <c>cert-chain.pem</c>, or another file whose form was wrong, was rewritten.</summary>
    Rechained,

    /// <summary>The user's own root was copied into the store.</summary>
    Imported,
}

/// <summary>What became of the root, or of one cluster's four files.</summary>
/// <param name="Kind">A root is issued, imported or kept, never reissued.</param>
/// <param name="Material">The files as they are now.</param>
/// <typeparam name="T"><see cref="RootCa"/> or <see cref="ClusterCacerts"/>.</typeparam>
public sealed record IssueOutcome<T>(IssueKind Kind, T Material)
{
    /// <summary>Why the files were replaced, as a sentence; null where they were kept or new.</summary>
    public string? Reason { get; init; }

    /// <summary>Where the replaced files are kept (mode 0600) until the next successful Verify; empty where none was replaced.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>The requested end, where the root ends earlier and its end was taken; null where nothing was clamped.</summary>
    public DateTimeOffset? ClampedFrom { get; init; }

    /// <summary>What a person should know, as sentences: a root near its end, for instance.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>Gives the store a root: keeps the one that is there, or issues or imports one. It never overwrites a root.</summary>
public static class RootCaIssuer
{
    /// <summary>Keeps, issues or imports the root.</summary>
    /// <param name="store">Where.</param>
    /// <param name="trust">What the user wants.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops before the key is made or taken; a root that is being written is written.</param>
    /// <exception cref="MeshTrustException">MT51xx: there is a root that cannot be used as it is. MT10xx: the disk.</exception>
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

    /// <summary>Rejects a root that is not valid today.</summary>
    internal static void RequireValid(CertificateDocument root, string place, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (now > root.NotAfter)
        {
            throw Fault("MT5106", place,
                $"The root ended on {Text.Time(root.NotAfter)}.",
                "Nothing can be issued under it. Move the directory away and run RootCa for a new root; "
                + "clusters that trust the old one must be rotated.");
        }

        if (now < root.NotBefore)
        {
            throw Fault("MT5106", place,
                $"The root is valid from {Text.Time(root.NotBefore)} on, and this machine's clock says {Text.Time(now)}.",
                "Set the clock right, or wait.");
        }
    }

    private static void RequireSame(RootCa there, RootCa external, TrustStore store, TrustSpec trust)
    {
        if (there.Certificate.Equals(external.Certificate)) return;
        throw Fault("MT5110", trust.RootCertificateFile!,
            $"You bring the root {external.Certificate}, but {store.RootCertPath} holds {there.Certificate}.",
            "A root is never replaced. Name no root to keep the one that is there; or choose another directory for the new one.");
    }

    private static void RequireNoDrift(RootCa there, TrustStore store, TrustSpec trust)
    {
        var drift = CaConfigDrift.Between(there.Certificate, trust.Root, location: null, parent: null);
        if (drift.Count == 0) return;
        throw new MeshTrustException(Stage.CertificateAuthority, [.. drift.Select(difference => new Problem("MT5107", store.RootCertPath,
            $"This root was made with other options: {difference}.",
            "A root is never replaced. Ask for what is there; or, for a new mesh, choose another directory or move this one away."))]);
    }

    private static string[] Notes(CertificateDocument root, TrustSpec trust, TimeProvider time)
    {
        if (!trust.RenewBefore.IsDue(root.NotBefore, root.NotAfter, time.GetUtcNow())) return [];
        var end = $"{root.NotAfter:yyyy-MM-dd}, within {trust.RenewBefore}";
        return [$"The root ends on {end}: plan its rotation. A root is never renewed by itself."];
    }

    private static MeshTrustException Fault(string id, string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem(id, location, message, hint));
}

/// <summary>The user's own root: two files, read with the same strictness as those of the store.</summary>
internal static class ExternalRoot
{
    /// <summary>The root, or null where the user brings none.</summary>
    internal static RootCa? Read(TrustSpec trust)
    {
        if (trust.RootCertificateFile is null && trust.RootKeyFile is null) return null;
        if (trust.RootCertificateFile is null) throw Half(trust.RootKeyFile!, "certificate");
        if (trust.RootKeyFile is null) throw Half(trust.RootCertificateFile, "key");
        return RootCa.FromFiles(trust.RootCertificateFile, ReadFile(trust.RootCertificateFile), trust.RootKeyFile, KeyFile(trust));
    }

    /// <summary>The key's file as it is, so that the store holds what the user brought, byte for byte.</summary>
    internal static byte[] KeyFile(TrustSpec trust) => ReadFile(trust.RootKeyFile!);

    private static byte[] ReadFile(string path) => StoreFile.Read(path) ?? throw Fault(path, "There is no such file.",
        "Name the PEM file of the root you bring; or name none, and the root in the directory is kept or one is made.");

    private static MeshTrustException Half(string present, string missing) => Fault(present,
        $"A root to bring is a certificate and its key; the {missing} is not named.", $"Name the file of the {missing} too.");

    private static MeshTrustException Fault(string location, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem("MT5109", location, message, hint));
}
