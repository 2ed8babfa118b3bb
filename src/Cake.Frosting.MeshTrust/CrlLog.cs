using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.IO;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust;

/// <summary>Says what a run did with the CRLs.</summary>
internal static class CrlLog
{
    public static void Write(ICakeContext context, TrustStore store, CrlOutcome outcome)
    {
        foreach (var certificate in outcome.Revoked)
            context.Log.Information($"revoked: {certificate}. Peers reject it, and what it issued, once the CRLs are pushed");
        var end = outcome.Lists.Min(list => list.NextUpdate ?? DateTimeOffset.MaxValue);
        var what = outcome.Issued == 0 ? "kept" : $"{outcome.Issued} of {Text.Count(outcome.Lists.Count, "CRL")} new";
        context.Log.Information($"{store.CrlPath}: {what}, the first ends at {end:u}");
        foreach (var note in outcome.Notes) context.Log.Warning("{0}", note);
        if (outcome.Issued > 0) context.Log.Information("--target=Verify pushes the CRLs to all clusters and proves every pair.");
    }
}
