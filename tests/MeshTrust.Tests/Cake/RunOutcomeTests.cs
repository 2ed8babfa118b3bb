using global::Cake.Core;
using global::Cake.Frosting.MeshTrust;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class RunOutcomeTests
{
    [Test]
    public void Success_is_0() => Assert.That(ExitCode(null, cake: 0), Is.Zero);

    [TestCase(Stage.Input, 2)]
    [TestCase(Stage.Preflight, 3)]
    [TestCase(Stage.ClusterCreation, 4)]
    [TestCase(Stage.Contexts, 5)]
    [TestCase(Stage.LoadBalancer, 6)]
    [TestCase(Stage.CertificateAuthority, 7)]
    [TestCase(Stage.Push, 8)]
    [TestCase(Stage.Verification, 9)]
    public void An_error_has_the_exit_code_of_its_stage(Stage stage, int code) => Assert.That(ExitCode(Fault(stage)), Is.EqualTo(code));

    [Test]
    public void Unwraps_an_error_from_the_exceptions_of_Cake() => Assert.Multiple(() =>
    {
        Assert.That(ExitCode(new CakeException("outer", Fault(Stage.Push))), Is.EqualTo(8));
        Assert.That(ExitCode(new AggregateException(new InvalidOperationException(), Fault(Stage.Verification))), Is.EqualTo(9));
    });

    [Test]
    public void Any_other_exception_is_1() => Assert.That(ExitCode(new InvalidOperationException()), Is.EqualTo(1));

    [Test]
    public void A_command_line_that_Cake_rejects_is_2() => Assert.That(ExitCode(null, cake: 255), Is.EqualTo(2));

    [TestCase("--target=Verfy", "--target=Verify?")]
    [TestCase("-t pushsecret", "--target=PushSecrets?")]
    [TestCase("--target RotCa", "--target=RootCa?")]
    [TestCase("--target=Verify --target=Verfy", "--target=Verify?")]
    [TestCase("-t:Verfy", "--target=Verify?")]
    [TestCase("--target=Verify", null)]
    [TestCase("--target=Something", null)]
    [TestCase("--target", null)]
    [TestCase("word", null)]
    public void An_unknown_target_suggests_the_nearest_name(string line, string? nearest)
    {
        using var cancellation = new RunCancellation();
        var reported = new RunOutcome(cancellation).Refusal(255, line.Split(' '))!;
        Assert.That(reported.Id, Is.EqualTo("MT0017"));
        Assert.That(reported.Message, nearest is null ? Does.Not.Contain("Did you mean") : Does.EndWith($" Did you mean {nearest}"));
    }

    [Test]
    public void Only_the_first_error_counts()
    {
        using var cancellation = new RunCancellation();
        var outcome = new RunOutcome(cancellation);
        outcome.Record(Fault(Stage.Push));
        outcome.Record(Fault(Stage.Verification));

        Assert.That(outcome.ExitCode(1), Is.EqualTo(8));
    }

    [Test]
    public async Task The_time_limit_is_124()
    {
        using var cancellation = new RunCancellation();
        var outcome = new RunOutcome(cancellation);
        var cancelled = new TaskCompletionSource();
        using var registration = cancellation.Token.Register(cancelled.SetResult);
        cancellation.LimitTo(TimeSpan.Zero);
        await cancelled.Task.WaitAsync(TimeSpan.FromMinutes(2));
        outcome.Record(new OperationCanceledException());

        Assert.That(outcome.ExitCode(1), Is.EqualTo(124));
    }

    private static int ExitCode(Exception? fault, int cake = 1)
    {
        using var cancellation = new RunCancellation();
        var outcome = new RunOutcome(cancellation);
        outcome.Record(fault);
        return outcome.ExitCode(cake);
    }

    private static MeshTrustException Fault(Stage stage) => new(stage, new Problem("MT0001", "here", "It is wrong.", "Fix it."));
}
