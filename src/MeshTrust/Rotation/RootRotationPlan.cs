using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Rotation;

/// <summary>A change of root that has begun.</summary>
/// <param name="Old">The SHA-256 of each root that goes, that of the trust store first.</param>
/// <param name="New">The SHA-256 of the root that comes.</param>
/// <param name="Phase">The phase that is under way, or was the last to end.</param>
/// <param name="EndedAt">When the phase passed its gate; null while it is under way.</param>
internal sealed record RootRotationPlan(IReadOnlyList<string> Old, string New, RootPhase Phase, DateTimeOffset? EndedAt = null)
{
    internal static readonly PlanFile<RootRotationPlan> File = new("root-rotation.json", PlanJson.Default.RootRotationPlan,
        "Restore it from your backup: it says how far the change of root has come. It contains no key.");

    private static readonly Dictionary<RootPhase, (string Word, string Work)> Phases = new()
    {
        [RootPhase.TrustBoth] = ("trust-both", "every cluster gets root-cert.pem with the old and the new root. Certificates do not "
            + "change. It prepares every workload for certificates under the new root."),
        [RootPhase.SwitchIssuer] = ("switch-issuer", "one cluster after the other gets an intermediate under the new root. Workloads that "
            + "trust only the old root would reject its certificates: all must have both by now."),
        [RootPhase.DropOld] = ("drop-old", "every cluster gets root-cert.pem without the old root. Certificates under it are rejected from "
            + "then on: all must have been renewed by now. Then the new root takes the old one's place in the trust store."),
    };

    /// <summary>Whether a root goes.</summary>
    internal bool Replaces(CertificateDocument root) => Old.Contains(root.Sha256);

    /// <summary>The phase as people write it.</summary>
    internal string Word => Phases[Phase].Word;

    /// <summary>Whether all phases have ended, and only the files in the trust store are left to be moved.</summary>
    internal bool IsEnded => this is { Phase: RootPhase.DropOld, EndedAt: not null };

    /// <summary>The phase that a run works on: the one under way, or else the one after it.</summary>
    internal static RootPhase Following(RootRotationPlan? plan) => plan switch
    {
        null => RootPhase.TrustBoth,
        { EndedAt: null } or { IsEnded: true } => plan.Phase,
        _ => plan.Phase + 1,
    };

    /// <summary>Where a change of root is, and what the next phase does and why.</summary>
    internal static IEnumerable<string> Describe(RootRotationPlan? plan)
    {
        yield return plan switch
        {
            null => "No change of root has begun.",
            { EndedAt: { } end } => $"Phase {plan.Word} passed its gate on {Text.Time(end)}.",
            _ => $"Phase {plan.Word} is under way.",
        };
        var (word, work) = Phases[Following(plan)];
        yield return plan is { IsEnded: true } ? "Next: the new root takes the old one's place." : $"Next: {word}: {work}";
    }
}
