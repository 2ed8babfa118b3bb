using MeshTrust.IO;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.IO;

public sealed class WaitTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);

    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task Returns_an_immediate_result_without_a_delay() =>
        Assert.That(await Wait.UntilAsync(_ => Task.FromResult<string?>("yes"), Limit, Pause, Late, _time, CancellationToken.None), Is.EqualTo("yes"));

    [Test]
    public async Task Polls_after_each_delay_and_once_more_at_the_deadline()
    {
        var asked = 0;
        var wait = Wait.UntilAsync(_ => Task.FromResult(++asked == 100), Limit, Pause, Late, _time, CancellationToken.None);
        for (var step = 1; step <= 3; step++)
        {
            Assert.That((asked, wait.IsCompleted), Is.EqualTo((step, false)));
            _time.Advance(Pause);
            await Task.Yield();
            SpinWait.SpinUntil(() => asked > step, TimeSpan.FromSeconds(5));
        }

        Assert.That(async () => await wait, Throws.TypeOf<TimeoutException>().With.Message.EqualTo("the server"));
        Assert.That(asked, Is.EqualTo(4), "after 0, 4, 8 and 12 seconds");
    }

    [Test]
    public void Ends_when_it_is_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var wait = Wait.UntilAsync(_ => Task.FromResult(false), Limit, Pause, Late, _time, cancellation.Token);
        cancellation.Cancel();
        Assert.That(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
    }

    private static TimeoutException Late() => new("the server");
}
