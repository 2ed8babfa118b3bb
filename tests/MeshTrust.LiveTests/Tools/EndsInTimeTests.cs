using System.Diagnostics;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using NUnit.Framework.Internal.Commands;

namespace MeshTrust.Tests.Tools;

/// <summary>Tests that really hang and that NUnit must end: each is inverted and passes if it failed with its name.</summary>
[TestFixture, Deadline(1)]
public sealed class EndsInTimeTests
{
    private static readonly AsyncLocal<string> Ambient = new();
    private DeadlineWatch? _inOneTimeSetUp;
    private DeadlineWatch? _inSetUp;

    [OneTimeSetUp]
    public void Once() => _inOneTimeSetUp = EndsInTimeAttribute.Current;

    [SetUp]
    public void Before()
    {
        _inSetUp = EndsInTimeAttribute.Current;
        Ambient.Value = TestContext.CurrentContext.Test.Name;
        if (TestContext.CurrentContext.Test.MethodName == nameof(A_hanging_set_up)) Thread.Sleep(Timeout.Infinite);
    }

    [Test, MustMissTheDeadline]
    public void A_sleep() => Thread.Sleep(Timeout.Infinite);

    [Test, MustMissTheDeadline]
    public async Task A_task_that_never_completes() => await new TaskCompletionSource().Task;

    [Test, MustMissTheDeadline]
    [Platform(Exclude = "Win", Reason = "sleep is a program of Unix")]
    public void A_process_that_does_not_end()
    {
        using var sleep = Process.Start("sleep", "600");
        try
        {
            sleep.WaitForExit();
        }
        finally
        {
            sleep.Kill();
        }
    }

    [Test, MustMissTheDeadline]
    public void A_hanging_set_up()
    {
    }

    [Test, MustMissTheDeadline]
    public void A_test_that_ignores_cancellation_and_ends_too_late()
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1.5)) Thread.SpinWait(1000);
    }

    [Test, Deadline(60)]
    public void Each_test_and_set_up_has_its_own_time_limit() =>
        Assert.That(new[] { _inOneTimeSetUp, _inSetUp, EndsInTimeAttribute.Current }, Is.Unique.And.None.Null);

    [Test, Deadline(60)]
    public async Task The_test_context_is_preserved()
    {
        Assert.That((Ambient.Value, TestContext.CurrentContext.Test.Name), Is.EqualTo((nameof(The_test_context_is_preserved), nameof(The_test_context_is_preserved))));
        await Task.Yield();
        Assert.That((Ambient.Value, TestContext.CurrentContext.Test.Name), Is.EqualTo((nameof(The_test_context_is_preserved), nameof(The_test_context_is_preserved))));
    }

    [Test, Deadline(60)]
    public void A_test_that_cannot_be_interrupted_ends_the_run_and_is_named()
    {
        using var given = new ManualResetEventSlim();
        var message = "";
        var spinning = new Thread(() =>
        {
            _ = new DeadlineWatch("Some.Test", TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20), text => { message = text; given.Set(); });
            while (!given.IsSet) Thread.SpinWait(1000);
        }) { IsBackground = true };
        spinning.Start();

        Assert.That(given.Wait(TimeSpan.FromSeconds(50)), Is.True);
        Assert.That(message, Is.EqualTo("Some.Test did not end within 0.02 s. It cannot be interrupted, so the whole run ends here."));
    }

    /// <summary>Inverts a test: it passes if it failed because of its deadline, and fails otherwise.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class MustMissTheDeadlineAttribute : NUnitAttribute, IWrapSetUpTearDown
    {
        public TestCommand Wrap(TestCommand command) => new TurnedRound(command);
    }

    private sealed class TurnedRound(TestCommand inner) : DelegatingTestCommand(inner)
    {
        public override TestResult Execute(TestExecutionContext context)
        {
            try
            {
                innerCommand.Execute(context);
            }
            catch (Exception e)
            {
                context.CurrentResult.RecordException(e);
            }

            var (state, message) = (context.CurrentResult.ResultState, context.CurrentResult.Message);
            context.CurrentResult = Test.MakeTestResult();
            if (state.Status == TestStatus.Failed && message.Contains($"{Test.FullName} did not end within 1 s.", StringComparison.Ordinal)) context.CurrentResult.SetResult(ResultState.Success);
            else context.CurrentResult.SetResult(ResultState.Failure, $"It ended as {state}: {message}");
            return context.CurrentResult;
        }
    }
}
