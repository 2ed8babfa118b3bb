using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Rotation;

/// <summary>A change of root that has begun.</summary>
/// <param name="Old">The SHA-256 of each root that goes, that of the trust store first.</param>
/// <param name="New">The SHA-256 of the root that comes.</param>
/// <param name="Phase">The phase that is under way, or was the last to end.</param>
/// <param name="EndedAt">When the phase passed its gate; null while it is under way.</param>
/// <param name="Cross">The new root's name and key, signed by the old root, in base64; null if the change is not cross-signed.</param>
internal sealed record RootRotationPlan(
    IReadOnlyList<string> Old, string New, RootPhase Phase, DateTimeOffset? EndedAt = null, string? Cross = null)
{
    internal static readonly PlanFile<RootRotationPlan> File = new("root-rotation.json", PlanJson.Default.RootRotationPlan,
        "Restore it from your backup: it says how far the change of root has come. It contains no key.");

    private const string DropOld = "every cluster gets root-cert.pem without the old root. Certificates under it are rejected from then "
        + "on: all must have been renewed by now. Then the new root takes the old one's place in the trust store.";

    private static readonly (RootPhase Phase, string Word, string Work)[] Usual =
    [
        (RootPhase.TrustBoth, "trust-both", "every cluster gets root-cert.pem with the old and the new root. Certificates do not "
            + "change. It prepares every workload for certificates under the new root."),
        (RootPhase.SwitchIssuer, "switch-issuer", "one cluster after the other gets an intermediate under the new root. Workloads that "
            + "trust only the old root would reject its certificates: all must have both by now."),
        (RootPhase.DropOld, "drop-old", DropOld),
    ];

    private static readonly (RootPhase Phase, string Word, string Work)[] CrossSigned =
    [
        (RootPhase.SwitchIssuer, "switch-issuer", "one cluster after the other gets an intermediate under the new root, and in "
            + "cert-chain.pem the new root's name and key, signed by the old root. root-cert.pem does not change: workloads that trust "
            + "only the old root accept its certificates."),
        (RootPhase.TrustBoth, "trust-both", "every cluster gets root-cert.pem with the old and the new root. Certificates do not "
            + "change, and all verify under the old root."),
        (RootPhase.DropOld, "drop-old", DropOld),
    ];

    /// <summary>The certificate of <see cref="Cross"/>.</summary>
    internal CertificateDocument? CrossCertificate { get; } =
        Cross is null ? null : CertificateDocument.FromDer(Convert.FromBase64String(Cross));

    /// <summary>Whether a root goes.</summary>
    internal bool Replaces(CertificateDocument root) => Old.Contains(root.Sha256);

    /// <summary>The phase as people write it.</summary>
    internal string Word => Order(this)[Place(this, Phase)].Word;

    /// <summary>The phase before this one; null for the first.</summary>
    internal RootPhase? Before => Place(this, Phase) is var place and > 0 ? Order(this)[place - 1].Phase : null;

    /// <summary>Whether a phase has begun, or ended.</summary>
    internal bool Has(RootPhase phase) => Place(this, phase) <= Place(this, Phase);

    /// <summary>Whether all phases have ended, and only the files in the trust store are left to be moved.</summary>
    internal bool IsEnded => this is { Phase: RootPhase.DropOld, EndedAt: not null };

    /// <summary>The phase that a run works on: the one under way, or else the one after it.</summary>
    internal static RootPhase Following(RootRotationPlan? plan, bool crossSigned = false) => plan switch
    {
        null => Order(plan, crossSigned)[0].Phase,
        { EndedAt: null } or { IsEnded: true } => plan.Phase,
        _ => Order(plan)[Place(plan, plan.Phase) + 1].Phase,
    };

    /// <summary>Whether a run that goes through to a phase has one left to work on.</summary>
    internal static bool IsLeft(RootRotationPlan? plan, RootPhase last, bool crossSigned) =>
        Place(plan, Following(plan, crossSigned), crossSigned) <= Place(plan, last, crossSigned);

    /// <summary>Where a change of root is, and what the next phase does and why.</summary>
    internal static IEnumerable<string> Describe(RootRotationPlan? plan, bool crossSigned = false)
    {
        yield return plan switch
        {
            null => "No change of root has begun.",
            { EndedAt: { } end } => $"Phase {plan.Word} passed its gate on {Text.Time(end)}.",
            _ => $"Phase {plan.Word} is under way.",
        };
        var (_, word, work) = Order(plan, crossSigned)[Place(plan, Following(plan, crossSigned), crossSigned)];
        yield return plan is { IsEnded: true } ? "Next: the new root takes the old one's place." : $"Next: {word}: {work}";
    }

    /// <summary>A plan has its order; the option counts before there is one.</summary>
    private static (RootPhase Phase, string Word, string Work)[] Order(RootRotationPlan? plan, bool crossSigned = false) =>
        (plan is null ? crossSigned : plan.Cross is not null) ? CrossSigned : Usual;

    private static int Place(RootRotationPlan? plan, RootPhase phase, bool crossSigned = false) =>
        Array.FindIndex(Order(plan, crossSigned), p => p.Phase == phase);
}
