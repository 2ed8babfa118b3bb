using global::Cake.Frosting.MeshTrust;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
public sealed class ClusterBoardTests
{
    private static readonly ClusterName East = ClusterName.Parse("east");
    private static readonly ClusterName West = ClusterName.Parse("west");
    private FakeTimeProvider _time = null!;
    private ClusterBoard _board = null!;

    [SetUp]
    public void Begin()
    {
        _time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        _board = new ClusterBoard(_time);
    }

    [Test]
    public void A_row_shows_the_latest_step_with_its_own_and_the_total_duration()
    {
        _board.Report(new(East, "waits", ClusterProgressState.Waiting));
        _time.Advance(TimeSpan.FromSeconds(9));
        _board.Report(new(East, "creating"));
        _time.Advance(TimeSpan.FromSeconds(3));
        _board.Report(new(East, "waiting for its nodes"));
        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.That(_board.Rows(), Is.EqualTo(new[] { new ClusterRow(new(East, "waiting for its nodes"), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(7)) }));
    }

    [Test]
    public void The_clock_of_a_finished_cluster_stops()
    {
        _board.Report(new(East, "creating"));
        _time.Advance(TimeSpan.FromSeconds(3));
        _board.Report(new(East, "ready", ClusterProgressState.Done));
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.That(_board.Rows().Single(), Is.EqualTo(new ClusterRow(new(East, "ready", ClusterProgressState.Done), TimeSpan.Zero, TimeSpan.FromSeconds(3))));
        Assert.That(_board.TakeLines(), Has.Count.EqualTo(2));
        Assert.That(_board.TakeLines(), Is.Empty);
    }

    [Test]
    public void Writes_one_line_with_a_time_for_each_step_and_none_for_a_repeated_step()
    {
        _board.Report(new(East, "waits", ClusterProgressState.Waiting));
        _board.Report(new(East, "creating"));
        _board.Report(new(East, "creating"));
        _time.Advance(TimeSpan.FromSeconds(2));
        _board.Report(new(West, "creating"));

        Assert.That(_board.TakeLines(), Is.EqualTo(new[] { "03:04:05Z east: creating", "03:04:07Z west: creating" }));
        Assert.That(_board.Rows().Select(row => row.Last.Cluster), Is.EqualTo(new[] { East, West }));
    }

    [Test]
    public void A_long_step_is_reported_at_intervals()
    {
        _board.Report(new(East, "creating"));
        Assert.That(_board.TakeLines(), Has.Count.EqualTo(1));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.That(_board.TakeLines(), Is.Empty);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(_board.TakeLines(), Is.EqualTo(new[] { "03:04:35Z east: creating (30 s so far)" }));
        Assert.That(_board.TakeLines(), Is.Empty);
    }

    [Test]
    public void Without_a_terminal_every_step_is_reported_even_if_the_work_fails()
    {
        if (LiveStatus.IsInteractive) Assert.Ignore("NOT RUN: standard output is a terminal, which gets a table instead. Redirect it.");
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);
        _board.Report(new(East, "creating {not a format}"));
        _board.Report(new(East, "it broke", ClusterProgressState.Failed));

        Assert.That(
            async () => await new LiveStatus(TimeProvider.System).DuringAsync(context.Context, _board, Task.FromException<int>(new InvalidOperationException("boom"))),
            Throws.InvalidOperationException);
        Assert.That(context.Lines, Is.EqualTo(new[] { "Information: 03:04:05Z east: creating {not a format}", "Information: 03:04:05Z east: it broke" }));
    }

    [Test]
    public async Task Warnings_are_held_back_until_the_table_is_final_and_written_once()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);
        var warning = new Problem("MT2404", "kind", "It is not known.", "See.", Severity.Warning);
        _board.Warn(warning);
        _board.Warn(warning);
        await new LiveStatus(TimeProvider.System).DuringAsync(context.Context, _board, Task.FromResult(1));

        Assert.That(context.Lines, Is.EqualTo(new[] { "Warning: MT2404 kind: It is not known. See." }));
    }

    [Test]
    public void The_table_has_one_row_per_cluster_and_a_symbol_beside_the_colour()
    {
        _board.Report(new(East, "ready", ClusterProgressState.Done));
        _board.Report(new(West, "waiting for [1] node"));
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 100;
        console.Write(ClusterTable.From(_board.Rows()));

        var lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Where(line => line.Trim().Length > 0);
        Assert.That(lines.Select(line => line.Trim()), Is.EqualTo(new[] { "+ east ready", "* west waiting for [1] node" }));
    }
}
