using Cake.Core;
using Cake.Frosting;

namespace MeshTrust.Tests.Cake;

/// <summary>The tasks of these tests: private, because every host in this assembly would include every public one.</summary>
public sealed partial class FrostingCompatTests
{
    private sealed class Fault() : Exception("it went wrong");

    private sealed class Default(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("Default");
    }

    private sealed class First(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("First");
    }

    [TaskName("FIRST")]
    private sealed class FirstAgain : FrostingTask;

    [IsDependentOn(typeof(First))]
    private sealed class Middle(List<string> notes) : AsyncFrostingTask
    {
        public override async Task RunAsync(ICakeContext context)
        {
            await Task.Yield();
            notes.Add("Middle");
        }
    }

    [IsDependentOn(typeof(First)), IsDependeeOf(typeof(Middle))]
    private sealed class Between(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("Between");
    }

    [TaskDescription("comes last"), IsDependentOn(typeof(Middle))]
    private sealed class Last(List<string> notes) : FrostingTask<IFrostingContext>
    {
        public override void Run(IFrostingContext context) => notes.Add("Last");
    }

    private sealed class Fails(List<string> notes) : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => Task.FromException(new Fault());

        public override void Finally(ICakeContext context) => notes.Add("finally");
    }

    [IsDependentOn(typeof(Fails))]
    private sealed class AfterFails(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("AfterFails");
    }

    [ContinueOnError]
    private sealed class FailsAndGoesOn : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new Fault();
    }

    [IsDependentOn(typeof(FailsAndGoesOn))]
    private sealed class AfterGoesOn(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("AfterGoesOn");
    }

    private sealed class Swallows(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new Fault();

        public override void OnError(Exception exception, ICakeContext context) => notes.Add("swallowed " + exception.Message);
    }

    [ContinueOnError]
    private sealed class Both : FrostingTask
    {
        public override void OnError(Exception exception, ICakeContext context) => throw exception;
    }

    private sealed class NotNow(List<string> notes) : FrostingTask
    {
        public override bool ShouldRun(ICakeContext context) => false;

        public override void Run(ICakeContext context) => notes.Add("NotNow");
    }

    [IsDependentOn(typeof(NotNow))]
    private sealed class AfterNotNow(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add("AfterNotNow");
    }

    private sealed class OwnContext(ICakeContext context) : FrostingContext(context)
    {
        public string Owner { get; } = "own";
    }

    private sealed class ForOwn(List<string> notes) : FrostingTask<OwnContext>
    {
        public override void Run(OwnContext context) => notes.Add(context.Owner);
    }

    private sealed class ForAnother : FrostingTask<OwnContext>;

    private sealed class Arguments(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) =>
            notes.AddRange(context.Arguments.GetArguments().Select(argument => $"{argument.Key}={string.Join("|", argument.Value)}"));
    }

    private sealed class Life(List<string> notes) : FrostingLifetime
    {
        public override void Setup(ICakeContext context, ISetupContext info) => notes.Add($"setup {info.TargetTask.Name} of {info.TasksToExecute.Count}");

        public override void Teardown(ICakeContext context, ITeardownContext info) => notes.Add($"teardown {info.ThrownException?.GetType().Name ?? "ok"}");
    }

    private sealed class TaskLife(List<string> notes) : FrostingTaskLifetime
    {
        public override void Setup(ICakeContext context, ITaskSetupContext info) => notes.Add("before " + info.Task.Name);

        public override void Teardown(ICakeContext context, ITaskTeardownContext info) => notes.Add($"after {info.Task.Name}: {info.ThrownException?.GetType().Name}");
    }

    private sealed class SetupOnly(List<string> notes) : FrostingSetup
    {
        public override void Setup(ICakeContext context, ISetupContext info) => notes.Add("setup");
    }

    private sealed class TeardownOnly(List<string> notes) : FrostingTeardown
    {
        public override void Teardown(ICakeContext context, ITeardownContext info) => notes.Add($"teardown {info.Successful}");
    }

    private sealed class TaskSetupOnly(List<string> notes) : FrostingTaskSetup
    {
        public override void Setup(ICakeContext context, ITaskSetupContext info) => notes.Add("before " + info.Task.Name);
    }

    private sealed class TaskTeardownOnly(List<string> notes) : FrostingTaskTeardown
    {
        public override void Teardown(ICakeContext context, ITaskTeardownContext info) => notes.Add("after " + info.Task.Name);
    }

    private sealed class Carrier(List<string> notes) : FrostingLifetime
    {
        private string? _carried;

        public override void Setup(ICakeContext context, ISetupContext info) => _carried = info.TargetTask.Name;

        public override void Teardown(ICakeContext context, ITeardownContext info) => notes.Add("carried " + _carried);
    }
}
