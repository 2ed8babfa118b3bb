using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust;

/// <summary>Says what a run did with the CA of a cluster, or with the certificate of a workload.</summary>
internal static class IssueLog
{
    // A root and its intermediates are issued seconds apart.
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMinutes(1);

    public static void Write<T>(ICakeContext context, string what, string limit, IssueOutcome<T> outcome, CertificateDocument certificate)
    {
        var end = certificate.NotAfter;
        var clamp = outcome.ClampedFrom is { } asked && asked - end > WorthTelling ? $" with {limit} ({asked:u} was requested)" : "";
        context.Log.Information($"{what}: {outcome.Kind.ToString().ToLowerInvariant()}, until {end:u}{clamp}");
        if (outcome.Reason is { } reason) context.Log.Information($"{what}: {reason}");
        foreach (var note in outcome.Notes) context.Log.Warning($"{what}: {note}");
    }
}
