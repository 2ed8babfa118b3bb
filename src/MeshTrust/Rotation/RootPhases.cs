using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Rotation;

/// <summary>Says where a change of root is, and what the next phase does and why.</summary>
internal static class RootPhases
{
    private static readonly Dictionary<RootPhase, string> Work = new()
    {
        [RootPhase.TrustBoth] = "trust-both: every cluster gets root-cert.pem with the old and the new root. Certificates do not change. "
            + "It prepares every workload for certificates under the new root.",
        [RootPhase.SwitchIssuer] = "switch-issuer: one cluster after the other gets an intermediate under the new root. Workloads that "
            + "trust only the old root would reject its certificates: all must have both by now.",
        [RootPhase.DropOld] = "drop-old: every cluster gets root-cert.pem with the new root alone. Certificates under the old root are "
            + "rejected from then on: all must have been renewed by now. Then the new root takes the old one's place in the trust store.",
    };

    internal static IEnumerable<string> Describe(RootRotationPlan? plan)
    {
        yield return plan switch
        {
            null => "No change of root has begun.",
            { EndedAt: { } end } => $"Phase {Word(plan.Phase)} passed its gate on {Text.Time(end)}.",
            _ => $"Phase {Word(plan.Phase)} is under way.",
        };
        yield return RootRotation.Following(plan) is { } next ? $"Next: {Work[next]}" : "Next: the new root takes the old one's place.";
    }

    private static string Word(RootPhase phase) => Work[phase].Split(':')[0];
}
