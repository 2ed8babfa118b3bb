using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// Runs tasks as Cake does, and adds what a host of MeshTrust does around them: it rejects mistyped arguments before the first task, folds
/// the lines of each task in a pipeline's log, and records the fault. It uses no lifetime of Frosting: a host has one of each kind, which
/// is the consumer's.
/// </summary>
internal sealed class RunExecution : IExecutionStrategy
{
    private readonly ICakeEnvironment _environment;
    private readonly MeshTrustOptions _options;
    private readonly RunCancellation _cancellation;
    private readonly RunOutcome _outcome;
    private readonly ICakeLog _log;
    private readonly DefaultExecutionStrategy _cake;
    private bool _argumentsAreChecked;

    public RunExecution(
        ICakeEngine engine, ICakeEnvironment environment, ICakeLog log, ICakeReportPrinter printer,
        MeshTrustOptions options, RunCancellation cancellation, RunOutcome outcome)
    {
        (_environment, _options, _cancellation, _outcome, _log) = (environment, options, cancellation, outcome, log);
        _cake = new DefaultExecutionStrategy(log, printer);
        engine.BeforeTaskSetup += (_, e) => BeginGroup(e.TaskSetupContext.Task.Name);
        engine.AfterTaskTeardown += (_, e) => EndGroup(e.TaskTeardownContext.Task.Name);
        engine.BeforeTeardown += (_, e) => Record(e.TeardownContext.ThrownException);
    }

    /// <summary>Reports why a run was stopped: otherwise Cake's last line would be "A task was canceled."</summary>
    public async Task ExecuteAsync(CakeTask task, ICakeContext context)
    {
        CheckArguments(context);
        try
        {
            await _cake.ExecuteAsync(task, context).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (Stopped is { } message)
        {
            throw new OperationCanceledException(message, e, _cancellation.Token);
        }
    }

    public void PerformSetup(Action<ISetupContext> action, ISetupContext context)
    {
        CheckArguments(context);
        _cake.PerformSetup(action, context);
    }

    public void PerformTeardown(Action<ITeardownContext> action, ITeardownContext teardownContext) =>
        _cake.PerformTeardown(action, teardownContext);

    public void Skip(CakeTask task, CakeTaskCriteria criteria) => _cake.Skip(task, criteria);

    public Task ReportErrorsAsync(Func<Exception, Task> action, Exception exception) => _cake.ReportErrorsAsync(action, exception);

    public Task HandleErrorsAsync(Func<Exception, ICakeContext, Task> action, Exception exception, ICakeContext context) =>
        _cake.HandleErrorsAsync(action, exception, context);

    public Task InvokeFinallyAsync(Func<ICakeContext, Task> action, ICakeContext context) => _cake.InvokeFinallyAsync(action, context);

    public void PerformTaskSetup(Action<ITaskSetupContext> action, ITaskSetupContext taskSetupContext) =>
        _cake.PerformTaskSetup(action, taskSetupContext);

    public void PerformTaskTeardown(Action<ITaskTeardownContext> action, ITaskTeardownContext taskTeardownContext) =>
        _cake.PerformTaskTeardown(action, taskTeardownContext);

    private string? Stopped => _cancellation.Cause is { } cause ? $"{cause} Every file is complete; run it again to continue." : null;

    private void CheckArguments(ICakeContext context)
    {
        if (_argumentsAreChecked) return;
        _argumentsAreChecked = true;
        var arguments = context.Arguments.GetArguments()
            .Select(argument => KeyValuePair.Create(argument.Key, (string?)argument.Value.LastOrDefault()));
        MeshTrustSettings.CheckNames([.. arguments], [.. _options.OtherArguments], _options.RefusesUnknownArguments);
    }

    private void BeginGroup(string task)
    {
        if (IsSet("GITHUB_ACTIONS")) Console.WriteLine($"::group::{task}");
        else if (IsSet("TF_BUILD")) Console.WriteLine($"##[group]{task}");
        else if (IsSet("GITLAB_CI")) Console.WriteLine($"\e[0Ksection_start:{Now}:{task}\r\e[0K{task}");
    }

    private void EndGroup(string task)
    {
        if (IsSet("GITHUB_ACTIONS")) Console.WriteLine("::endgroup::");
        else if (IsSet("TF_BUILD")) Console.WriteLine("##[endgroup]");
        else if (IsSet("GITLAB_CI")) Console.WriteLine($"\e[0Ksection_end:{Now}:{task}\r\e[0K");
    }

    /// <summary>Keeps the fault for the exit code, since Cake has one code for all, and marks it in a pipeline's log.</summary>
    private void Record(Exception? fault)
    {
        _outcome.Record(fault);
        if (fault is null) return;
        // For a cancelled task, Cake's own last line has the message.
        if (Stopped is { } message && fault.Message != message) _log.Error("{0}", message);
        foreach (var problem in _outcome.Fault?.Problems ?? [])
            Annotate(problem.Id, $"{problem.Location}: {problem.Message} {problem.Hint}");
    }

    private void Annotate(string id, string text)
    {
        if (IsSet("GITHUB_ACTIONS")) Console.WriteLine($"::error title={id}::{OneLine(text)}");
        else if (IsSet("TF_BUILD")) Console.WriteLine($"##vso[task.logissue type=error;code={id}]{OneLine(text)}");
    }

    private static string OneLine(string text) => text
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("\r", "%0D", StringComparison.Ordinal)
        .Replace("\n", "%0A", StringComparison.Ordinal);

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private bool IsSet(string variable) => !string.IsNullOrEmpty(_environment.GetEnvironmentVariable(variable));
}
