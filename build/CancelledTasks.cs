using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust;

namespace Build;

/// <summary>
/// Runs tasks as Cake does. A task that ends because the run was ended says why: Cake's last line would else be "A task was canceled." Every other
/// fault, and a cancellation that nobody asked for, stays what it is.
/// </summary>
public sealed class CancelledTasks(ICakeLog log, ICakeReportPrinter printer, RunCancellation cancellation) : IExecutionStrategy
{
    private readonly DefaultExecutionStrategy _cake = new(log, printer);

    /// <inheritdoc/>
    public async Task ExecuteAsync(CakeTask task, ICakeContext context)
    {
        try
        {
            await _cake.ExecuteAsync(task, context).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (Message(cancellation) is { } message)
        {
            throw new OperationCanceledException(message, e, cancellation.Token);
        }
    }

    /// <summary>What stands in the log of a run that was ended; null for one that was not.</summary>
    internal static string? Message(RunCancellation cancellation) => cancellation.Cause is { } cause ? $"{cause} What is written is whole: run it again to go on." : null;

    /// <inheritdoc/>
    public void PerformSetup(Action<ISetupContext> action, ISetupContext context) => _cake.PerformSetup(action, context);

    /// <inheritdoc/>
    public void PerformTeardown(Action<ITeardownContext> action, ITeardownContext teardownContext) => _cake.PerformTeardown(action, teardownContext);

    /// <inheritdoc/>
    public void Skip(CakeTask task, CakeTaskCriteria criteria) => _cake.Skip(task, criteria);

    /// <inheritdoc/>
    public Task ReportErrorsAsync(Func<Exception, Task> action, Exception exception) => _cake.ReportErrorsAsync(action, exception);

    /// <inheritdoc/>
    public Task HandleErrorsAsync(Func<Exception, ICakeContext, Task> action, Exception exception, ICakeContext context) => _cake.HandleErrorsAsync(action, exception, context);

    /// <inheritdoc/>
    public Task InvokeFinallyAsync(Func<ICakeContext, Task> action, ICakeContext context) => _cake.InvokeFinallyAsync(action, context);

    /// <inheritdoc/>
    public void PerformTaskSetup(Action<ITaskSetupContext> action, ITaskSetupContext taskSetupContext) => _cake.PerformTaskSetup(action, taskSetupContext);

    /// <inheritdoc/>
    public void PerformTaskTeardown(Action<ITaskTeardownContext> action, ITaskTeardownContext taskTeardownContext) => _cake.PerformTaskTeardown(action, taskTeardownContext);
}
