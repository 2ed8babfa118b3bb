using MeshTrust.IO;
using MeshTrust.Pki;

namespace MeshTrust.Kubernetes;

/// <summary>
/// Keeps a push from breaking a running mesh: without --accept-outage it never replaces a root that workloads may hold, and without
/// --force it never takes over a secret that istiod generated. Pure: it decides from what was read.
/// </summary>
internal sealed class PushGuard(LiveTrust live, ClusterCacerts wanted, CacertsPushSettings settings, PushSurroundings mesh)
{
    private readonly List<Problem> _problems = [];
    private readonly List<Problem> _warnings = [];
    private readonly IReadOnlyList<CertificateDocument> _roots = Parse(wanted.RootCert.Span).Certificates;
    private bool _rootDiffers;
    private bool _takesOver = settings.Force;

    internal static PushVerdict Inspect(
        LiveTrust live, ClusterCacerts wanted, string namespaceName, CacertsPushSettings settings, PushSurroundings? mesh = null) =>
        new PushGuard(live, wanted, settings, mesh ?? new([], [], IsRemote: false)).Judge(CacertsSecret.For(wanted, namespaceName));

    private PushVerdict Judge(SecretDocument secret)
    {
        var generated = live.Cacerts?.Data.ContainsKey(CacertsSecret.GeneratedMark) == true;
        List<string> removed = generated && settings.Force ? [CacertsSecret.GeneratedMark] : [];
        JudgeHome();
        if (!IsMisplaced) JudgeRoot();
        if (!IsMisplaced && wanted.Crl is { } crl) JudgeCrls(RevocationLists.Parse(CacertsFile.Crl, crl.Span));
        if (live.Cacerts is { } cacerts)
        {
            if (generated) JudgeGenerated();
            if (cacerts.Data.ContainsKey(CacertsSecret.TlsCertificate)) RefuseTlsLayout(cacerts);
            else if (cacerts.Type != secret.Type) secret = KeepType(secret, cacerts);
            secret = KeepRootBytes(secret, cacerts);
            var changes = secret.Data.Any(d => Held(cacerts, d.Key)?.AsSpan().SequenceEqual(d.Value) != true);
            if (changes && cacerts.Keeper is { } keeper && !generated) JudgeKeeper(keeper);
            if (cacerts.Data.ContainsKey(CacertsFile.RootKey)) JudgeRootKey(removed);
            if (cacerts.Immutable == true && changes)
            {
                Refuse("MT5206", "The secret cacerts is immutable, so it cannot be changed.",
                    $"Back it up, delete it ({live.Kubectl} delete secret {CacertsSecret.Name}) and rerun. "
                    + "istiod reads the new one at its next restart.");
            }

            if (cacerts.LeakingAnnotations.Count > 0)
            {
                Warn("MT5226",
                    $"The annotation {string.Join(" and ", cacerts.LeakingAnnotations)} of the secret cacerts contained a private key. "
                    + "It was removed.",
                    "kubectl apply writes such annotations. Use MeshTrust or kubectl create for this secret.");
            }

            var isKept = cacerts is { Keeper: not null } && !changes;
            return Verdict() with { RemovedKeys = removed, RemovedAnnotations = cacerts.LeakingAnnotations, IsKept = isKept };
        }

        return Verdict();

        PushVerdict Verdict() => new(secret, _problems, _warnings) { RootDiffers = _rootDiffers, TakesOver = _takesOver };
    }

    private bool IsMisplaced => live.Misplaced is not null && !settings.Force;

    /// <summary>A secret in a namespace in which no istiod runs is of no use, and puts a CA key where nobody needs it.</summary>
    private void JudgeHome()
    {
        if (IsMisplaced)
        {
            Refuse("MT5227", live.Misplaced!,
                $"Is it --istio-namespace={live.FoundIn[0]}? --force writes here. This cluster was not touched.");
        }

        if (live.Signer is not Signer.OtherCa || mesh.IsRemote) return;
        const string Message = "The certificates of this mesh do not come from istiod's CA: there is neither cacerts nor "
            + $"{LiveTrust.SelfSignedName}, and istiod's own certificate is in istiod-tls, as istio-csr does it";
        if (settings.Force)
            Warn("MT5222", $"{Message}. The secret cacerts was created anyway.", "istiod ignores it while another CA signs.");
        else
        {
            Refuse("MT5222", $"{Message}.", "Run --exclusive --target=Verify to only check it. "
                + "To create the secret cacerts anyway, pass --force. This cluster was not touched.");
        }
    }

    /// <summary>Judges the change of the roots by what it breaks: nothing that verifies now may fail after it.</summary>
    private void JudgeRoot()
    {
        var secret = Held(live.Cacerts, live.Secret?.RootCertName ?? CacertsFile.RootCert) is { } bytes ? Parse(bytes) : null;
        var held = live.Published ?? (secret is null ? live.Roots : secret.Certificates);
        if (held.Count == 0 && secret is null) return;
        var (published, inSecret) = (live.Published, secret?.Certificates ?? []);
        _rootDiffers = !LiveTrust.Same(held, _roots) || (secret is not null && !LiveTrust.Same(inSecret, _roots));
        if (!_rootDiffers) return;

        var change = new RootChange(held, _roots);
        if (secret is not null && LiveTrust.Same(inSecret, _roots))
        {
            // The secret does not change. What istiod publishes is what workloads hold, and a restart switches them.
            Warn("MT5219",
                $"The secret cacerts already holds this root, but istiod still publishes {LiveTrust.Describe(held)}, "
                + "which is the root that workloads hold. istiod switches to the root of the secret at its next restart.",
                Breaks() is null
                    ? "No running workload is affected by that. Restart istiod when it suits you."
                    : "Do not restart istiod yet: a restart breaks mutual TLS until every workload has restarted too. "
                        + $"Plan it as a change of root ({Text.Docs}/existing-clusters.md).");
            return;
        }

        if (held.Count == 0) RefuseRoot("MT5215", $"The root in the secret cacerts cannot be read, so it is unknown whether the new one "
            + $"({LiveTrust.Describe(_roots)}) would break running workloads{Reach()}.");
        else if (Breaks() is { } fault) RefuseRoot(ProblemCodes.LiveRootDiffers, $"{Trusts(held)} The push {change}. {fault}");
        else if (published is not null && LiveTrust.Same(published, _roots))
        {
            _takesOver = true;
            Warn("MT5221",
                $"The secret cacerts holds {LiveTrust.Describe(inSecret)}, but istiod publishes {LiveTrust.Describe(_roots)} and no "
                + $"workload holds another root{Reach()}. The secret is replaced by the right one.",
                "Find out what wrote the other secret. istiod keeps using the root that it has.");
        }
        else
        {
            Warn("MT5224", $"This push {change}. Everything that verifies now verifies after it.",
                "istiod loads it at its next restart, or at once if ISTIO_MULTIROOT_MESH is set.");
        }
    }

    private string Trusts(IReadOnlyList<CertificateDocument> held) =>
        $"This cluster trusts the root {LiveTrust.Describe(held)}, from "
        + (live.Published is not null ? $"the ConfigMap {LiveTrust.RootConfigMapName}{Reach()}."
            : live.Cacerts is not null ? $"the secret cacerts{Reach()}."
            : $"the secret {LiveTrust.SelfSignedName} of a self-signed istiod{Reach()}.");

    /// <summary>What verifies now and would fail after the push, as a sentence; null if nothing.</summary>
    private string? Breaks()
    {
        var others = mesh.Clusters.Where(c => c.Cluster != live.Cluster).ToList();
        // Their workloads call workloads here, which then only trust the new roots.
        foreach (var peer in others.Prepend(live).Where(p => p.Roots.Count > 0))
        {
            if (peer.Signing is not { Ca: { } ca } signing)
            {
                var removed = new RootChange(peer.Roots, _roots).Removed;
                if (removed.Any(r => live.HeldRoots.Any(h => h.Contains(r))))
                    return $"Which CA signs in '{peer.Cluster}' is not visible. Its certificates may chain to a root that is missing then.";
            }
            else if (live.HeldRoots.Any(h => CertificationPath.Reaches(ca, signing.Chain, h))
                && !CertificationPath.Reaches(ca, signing.Chain, _roots))
            {
                return $"The CA that signs in '{peer.Cluster}' now ('{ca.Subject}') does not chain to a root that is left: mutual TLS with "
                    + "its workloads breaks until all of them have restarted.";
            }
        }

        // What istiod signs here from then on has to verify where workloads hold the roots of today.
        var (newCa, chain) = (wanted.Certificate, wanted.Chain);
        foreach (var peer in others.Prepend(live))
        {
            var now = live.Signing;
            foreach (var roots in peer.HeldRoots)
            {
                if (now?.Ca is { } old && !CertificationPath.Reaches(old, now.Chain, roots)) continue;
                if (!CertificationPath.Reaches(newCa, chain, roots))
                    return $"Workloads in '{peer.Cluster}' hold roots that do not trust the new CA ('{newCa.Subject}'): mutual TLS with "
                        + "them breaks until all of them have restarted.";
            }
        }

        return mesh.Unread.Count > 0 && new RootChange(live.Roots, _roots).Removed.Count > 0
            ? $"{string.Join(" and ", mesh.Unread.Select(c => $"'{c}'"))} could not be read, so its CA may need the removed root."
            : null;
    }

    /// <summary>Sidecars reject what a CA signs whose CRL is missing, or that is revoked. The ends of CRLs are ignored.</summary>
    private void JudgeCrls(RevocationLists lists)
    {
        foreach (var peer in mesh.Clusters.Where(p => p.Signer is not Signer.NotRunning))
        {
            if (peer.Signing?.Path is not { } path || lists.Fault(path, at: null) is not { } fault) continue;
            if (live.Secret?.Crls?.Fault(path, at: null) is not null) continue;
            var what = $"Workloads of '{peer.Cluster}' would be rejected here: {fault}.";
            if (settings.AcceptOutage) Warn("MT5230", what, "You accepted the outage (--accept-outage).");
            else Refuse("MT5230", what, $"Push without CRLs first: move {CacertsFile.Crl} out of the trust store, and put it back when the "
                + $"workloads of '{peer.Cluster}' have new certificates. To reject them now, pass --accept-outage. "
                + "This cluster was not touched.");
        }
    }

    private void RefuseRoot(string id, string what)
    {
        if (settings.AcceptOutage)
        {
            // This includes fields that another manager wrote.
            _takesOver = true;
            Warn(ProblemCodes.OutageAccepted, what,
                "You accepted the outage (--accept-outage). istiod loads the new root at its next restart. "
                + "From then on, until all workloads have restarted, calls between the old root and the new one fail.");
        }
        else
        {
            var keep = live.Signing is { } signing && signing.Bytes(CacertsFile.CaKey).Length > 0 && live.Secret is null
                ? $"To keep the cluster's root, run --target=FetchRootCa --from={live.Cluster} --certs-dir=live-certs, "
                    + "then this target again with --certs-dir=live-certs. "
                : "To keep the cluster's root, pass its files with --rootca-cert and --rootca-key and a new --certs-dir. ";
            Refuse(id, what, keep + "To replace it now and accept an outage, pass --accept-outage. This cluster was not touched.");
        }
    }

    /// <summary>Another program owns the secret and will write its own again.</summary>
    private void JudgeKeeper(string keeper)
    {
        var message = $"{keeper} manages the secret cacerts and will restore its own version";
        if (settings.Force) Warn("MT5223", $"{message}. MeshTrust overwrote it.", $"Remove the secret from {keeper}, or change it there.");
        else
        {
            Refuse("MT5223", $"{message}.",
                $"Change it in {keeper}, or remove the secret from {keeper} first. --force overwrites it. This cluster was not touched.");
        }
    }

    private void JudgeRootKey(List<string> removed)
    {
        if (settings.Force) removed.Add(CacertsFile.RootKey);
        Warn("MT5225", $"The secret cacerts {(settings.Force ? "contained" : "contains")} the root's private key ({CacertsFile.RootKey})"
            + (settings.Force ? ". It was removed." : "; anyone who can read the secret can issue certificates for every cluster."),
            settings.Force ? "Treat the root as compromised and plan to replace it." : "Rerun with --force to remove it from the secret.");
    }

    private void JudgeGenerated()
    {
        const string Message = "istiod generated the secret cacerts itself (USE_CACERTS_FOR_SELF_SIGNED_CA) and watches it";
        if (settings.Force) Warn("MT5202", $"{Message}. MeshTrust takes it over.", "istiod uses the new CA from its next restart on.");
        else
        {
            Refuse("MT5202", $"{Message}.",
                "Pass --force to take it over; istiod uses the new CA from its next restart on. This cluster was not touched.");
        }
    }

    private void RefuseTlsLayout(SecretDocument cacerts)
    {
        var mixed = cacerts.Data.ContainsKey(CacertsFile.CaCert) ? " as well as the *.pem keys" : "";
        Refuse("MT5203",
            $"The secret cacerts has the key '{CacertsSecret.TlsCertificate}'{mixed}. "
            + "With that key, istiod reads tls.crt, tls.key and ca.crt and ignores the *.pem keys.",
            (cacerts.Keeper is { } keeper
                ? $"{keeper} manages it: leave it alone, and run --exclusive --target=Verify to only check it. "
                : "If another tool manages the secret, leave it alone, and run --exclusive --target=Verify to only check it. ")
            + $"Otherwise back it up, delete it ({live.Kubectl} delete secret {cacerts.Name}) and rerun. This cluster was not touched.");
    }

    private SecretDocument KeepType(SecretDocument secret, SecretDocument held)
    {
        Warn("MT5217",
            $"The secret cacerts has the type '{held.Type}' instead of '{secret.Type}'. A secret's type cannot change, so it is kept.",
            "No action needed: istiod ignores the type.");
        return secret with { Type = held.Type };
    }

    /// <summary>
    /// istiod compares bytes: if one byte of root-cert.pem differs, it drops the whole update with the new intermediate, unless
    /// ISTIO_MULTIROOT_MESH is on (istio_ca.go). So if the certificates are the same and the live bytes well-formed, those are kept.
    /// </summary>
    private SecretDocument KeepRootBytes(SecretDocument secret, SecretDocument held)
    {
        if (Held(held, CacertsFile.RootCert) is not { } bytes || wanted.RootCert.Span.SequenceEqual(bytes)) return secret;
        var document = Parse(bytes);
        if (!LiveTrust.Same(document.Certificates, _roots)) return secret;
        if (document.Defects.Count == 0)
        {
            Warn("MT5214",
                "The live root-cert.pem holds the same certificates in different bytes. "
                + "The live bytes are kept, because istiod drops an update in which even one byte differs.",
                "No action needed.");
            return secret with { Data = new Dictionary<string, byte[]>(secret.Data) { [CacertsFile.RootCert] = bytes } };
        }

        Warn("MT5214",
            $"The live root-cert.pem holds the same certificates but is malformed ({document.Defects[0].TrimEnd('.')}). "
            + "It is replaced by a well-formed one.",
            "A running istiod drops an update in which root-cert.pem differs by even one byte. "
            + "It reads the new secret at its next restart.");
        return secret;
    }

    private static byte[]? Held(SecretDocument? secret, string key) =>
        secret?.Data.TryGetValue(key, out var bytes) == true && bytes.Length > 0 ? bytes : null;

    private static PemDocument Parse(ReadOnlySpan<byte> bytes) => PemDocument.Parse(CacertsFile.RootCert, bytes);

    private string Reach() => live.RootConfigMaps?.Count is { } count and > 0 ? $" (in {Text.Count(count, "namespace")})" : "";

    private void Refuse(string id, string what, string remedy) => _problems.Add(new Problem(id, live.Cluster.Value, what, remedy));

    private void Warn(string id, string what, string remedy) =>
        _warnings.Add(new Problem(id, live.Cluster.Value, what, remedy, Severity.Warning));
}

/// <summary>The rest of the mesh: what the other clusters hold, which could not be read, and whether this one has its own istiod.</summary>
internal sealed record PushSurroundings(IReadOnlyList<LiveTrust> Clusters, IReadOnlyList<string> Unread, bool IsRemote);

/// <summary>
/// Whether a cluster may be written (no problems) and how: the secret as intended, but with the live root's bytes and type where those must
/// be kept.
/// </summary>
internal sealed record PushVerdict(SecretDocument Secret, IReadOnlyList<Problem> Problems, IReadOnlyList<Problem> Warnings)
{
    /// <summary>Keys to remove from the live secret that an apply would leave: istiod's mark, the root's key.</summary>
    internal IReadOnlyList<string> RemovedKeys { get; init; } = [];

    /// <summary>Annotations to remove because they contain a key.</summary>
    internal IReadOnlyList<string> RemovedAnnotations { get; init; } = [];

    /// <summary>Whether the apply takes over fields of other managers.</summary>
    internal bool TakesOver { get; init; }

    /// <summary>Whether another program keeps the secret and it is as intended: writing would only make two owners of it.</summary>
    internal bool IsKept { get; init; }

    /// <summary>Whether the cluster holds a root other than the intended one, so that the ConfigMaps of all namespaces matter.</summary>
    internal bool RootDiffers { get; init; }
}
