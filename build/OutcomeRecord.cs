using Cake.Core;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;

namespace Build;

/// <summary>Hands the fault of a run to the exit-code map: Cake keeps only one code for all.</summary>
public sealed class OutcomeRecord(RunOutcome outcome) : FrostingTeardown
{
    /// <inheritdoc/>
    public override void Teardown(ICakeContext context, ITeardownContext info) => outcome.Record(info.ThrownException);
}
