using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;

namespace Build;

/// <summary>Hands the fault of a run to the exit-code map, since Cake keeps only one code for all, and marks it in a pipeline's log.</summary>
public sealed class OutcomeRecord(RunOutcome outcome, RunCancellation cancellation) : FrostingTeardown
{
    /// <inheritdoc/>
    public override void Teardown(ICakeContext context, ITeardownContext info)
    {
        outcome.Record(info.ThrownException);
        if (info.ThrownException is null) return;
        // Of a task that was cancelled Cake's own last line says it.
        if (CancelledTasks.Message(cancellation) is { } message && info.ThrownException.Message != message) context.Log.Error("{0}", message);
        foreach (var problem in outcome.Fault?.Problems ?? []) Annotate(context, problem.Id, $"{problem.Location}: {problem.Message} {problem.Hint}");
    }

    private static void Annotate(ICakeContext context, string id, string text)
    {
        if (IsSet(context, "GITHUB_ACTIONS")) Console.WriteLine($"::error title={id}::{OneLine(text)}");
        else if (IsSet(context, "TF_BUILD")) Console.WriteLine($"##vso[task.logissue type=error;code={id}]{OneLine(text)}");
    }

    private static string OneLine(string text) =>
        text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static bool IsSet(ICakeContext context, string variable) =>
        !string.IsNullOrEmpty(context.Environment.GetEnvironmentVariable(variable));
}
