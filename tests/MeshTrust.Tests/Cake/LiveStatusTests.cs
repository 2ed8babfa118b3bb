using global::Cake.Frosting.MeshTrust;
using MeshTrust.Tests.Live;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class LiveStatusTests
{
    [Test]
    public async Task Short_work_reports_nothing()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);
        var result = await new LiveStatus(TimeProvider.System).DuringAsync(context.Context, () => "working", Task.FromResult(42));

        Assert.That((result, context.Lines.Count), Is.EqualTo((42, 0)));
    }

    [Test]
    public async Task Long_work_reports_its_progress_at_intervals()
    {
        if (LiveStatus.IsInteractive) Assert.Ignore("NOT RUN: standard output is a terminal, which gets a moving line instead. Redirect it.");
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);
        var time = new FakeTimeProvider();
        var work = new TaskCompletionSource<int>();
        var keys = 0;
        var waiting = new LiveStatus(time).DuringAsync(context.Context, () => $"{++keys} of 8 keys", work.Task);

        for (var i = 0; context.Lines.Count < 2 && i < 10_000; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }

        work.SetResult(7);
        Assert.Multiple(async () =>
        {
            Assert.That(await waiting, Is.EqualTo(7));
            Assert.That(context.Lines[0], Does.StartWith("Information: 1 of 8 keys ("));
            Assert.That(context.Lines[1], Does.StartWith("Information: 2 of 8 keys ("));
        });
    }

    [Test]
    public void Rethrows_what_the_work_throws()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);

        Assert.That(
            () => new LiveStatus(TimeProvider.System).DuringAsync(context.Context, () => "working", Task.FromException<int>(new InvalidOperationException("boom"))),
            Throws.InvalidOperationException.With.Message.EqualTo("boom"));
    }
}
