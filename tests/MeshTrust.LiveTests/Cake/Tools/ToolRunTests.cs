using System.Diagnostics;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.IO;


namespace MeshTrust.Tests.Cake.Tools;

[TestFixture]
public sealed class ToolRunTests
{
    // A child that ignores SIGTERM, and one whose parent does not; each records its process id.
    private const string Family = """
        echo $$ >>ids
        sh -c 'trap "" TERM INT HUP; echo $$ >>ids; while :; do sleep 1; done' &
        sh -c 'sh -c "trap \"\" TERM; echo \$\$ >>ids; while :; do sleep 1; done" & wait' &
        while :; do sleep 1; done
        """;

    private FakeTools _tools = null!;

    [SetUp]
    public void CreateTools() => _tools = new FakeTools();

    [TearDown]
    public void RemoveTools() => _tools?.Dispose();

    [Test]
    public async Task Passes_each_argument_unchanged()
    {
        _tools.Program("script", "for a in \"$@\"; do printf '<%s>' \"$a\"; done");
        string[] hostile = ["a b", "", "\"quoted\"", "back\\slash", "end\\", "end with blank\\", "\\\\\"", "$HOME `id` ; rm", "'single'", "line\nbreak", "tab\t", "ünïcode 🖼", "--format={{json .}}", "{{ index .Options \"a.b\" }}"];

        var result = await new ScriptTool(_tools.Host).RunAsync(hostile);

        Assert.That(result.Output, Is.EqualTo(string.Concat(hostile.Select(a => $"<{a}>"))));
    }

    [Test]
    public async Task Feeds_standard_input_and_closes_it()
    {
        _tools.Program("script", "cat");

        var fed = await new ScriptTool(_tools.Host).RunAsync([], input: "secret\nlines ü");
        var empty = await new ScriptTool(_tools.Host).RunAsync([]);

        Assert.That((fed.Output, empty.Output), Is.EqualTo(("secret\nlines ü", "")));
    }

    [Test]
    public async Task Tolerates_a_program_that_does_not_read_its_input()
    {
        _tools.Program("script", "exit 3");

        var result = await new ScriptTool(_tools.Host).RunAsync([], input: new string('x', 1 << 20));

        Assert.That(result.ExitCode, Is.EqualTo(3));
    }

    [Test]
    public async Task Drains_both_pipes_and_keeps_the_end_of_standard_error()
    {
        _tools.Program("script", "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; echo 'the end' >&2");

        var result = await new ScriptTool(_tools.Host).RunAsync([]);

        Assert.Multiple(() =>
        {
            Assert.That(result.Output, Has.Length.EqualTo(3000000));
            Assert.That(result.Error, Does.EndWith("the end\n"));
            Assert.That(result.Error, Has.Length.LessThan(100_000));
        });
    }

    [TestCase(70_000)]
    [TestCase(3_000_000)]
    public async Task Keeps_an_error_that_is_followed_by_much_other_output(int more)
    {
        _tools.Program("script", $"echo 'ERROR: the reason' >&2; head -c {more} /dev/zero >&2; echo 'the end' >&2");

        var result = await new ScriptTool(_tools.Host).RunAsync([]);

        Assert.Multiple(() =>
        {
            Assert.That(result.Error, Does.StartWith("ERROR: the reason\n").And.EndWith("the end\n"));
            Assert.That(result.Error.Contains("\n...\n", StringComparison.Ordinal), Is.EqualTo(more > 100_000), "what was left out is reported");
        });
    }

    [Test]
    public async Task Ends_a_program_that_writes_too_much()
    {
        _tools.Program("script", "echo $$ >ids; cat /dev/zero");

        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => new ScriptTool(_tools.Host).RunAsync([]));

        Assert.Multiple(() =>
        {
            Assert.That(fault!.Problems[0].Id, Is.EqualTo("MT2211"));
            Assert.That(ProcessTree.BirthOf(int.Parse(_tools.Read("ids"), null)), Is.Null);
        });
    }

    [Test]
    public async Task Ends_the_whole_process_tree_at_the_deadline()
    {
        _tools.Program("script", Family);

        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => new ScriptTool(_tools.Host).RunAsync(["create", "it"], deadline: TimeSpan.FromSeconds(2)));

        var ids = await _tools.IdsAsync("ids", 3);
        Assert.Multiple(() =>
        {
            Assert.That(fault!.Problems[0].Id, Is.EqualTo("MT2209"));
            Assert.That(fault.Message, Does.Contain("script create it").And.Contains("2 s"));
            Assert.That(ids.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty);
        });
    }

    [Test]
    public async Task Ends_the_whole_process_tree_when_the_run_is_cancelled()
    {
        _tools.Program("script", Family);
        using var stop = new CancellationTokenSource();

        var run = new ScriptTool(_tools.Host).RunAsync([], token: stop.Token);
        var ids = await _tools.IdsAsync("ids", 3);
        await stop.CancelAsync();

        await Assert.CatchAsync<OperationCanceledException>(() => run);
        Assert.That(ids.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty);
    }

    [Test]
    public async Task Sends_SIGTERM_before_SIGKILL()
    {
        _tools.Program("script", "trap 'echo asked >asked; exit 0' TERM; while :; do sleep 0.1; done");

        await Assert.ThrowsAsync<MeshTrustException>(() => new ScriptTool(_tools.Host).RunAsync([], deadline: TimeSpan.FromSeconds(1)));

        Assert.That(_tools.Read("asked"), Is.EqualTo("asked\n"));
    }

    [Test]
    public async Task Starts_nothing_if_the_token_is_already_cancelled()
    {
        _tools.Program("script", "echo >started");

        await Assert.CatchAsync<OperationCanceledException>(() => new ScriptTool(_tools.Host).RunAsync([], token: new CancellationToken(canceled: true)));

        Assert.That(_tools.File("started"), Does.Not.Exist);
    }

    [Test]
    public async Task A_grandchild_that_keeps_running_does_not_delay_the_result()
    {
        _tools.Program("script", "sleep 600 & echo $! >ids; echo done");

        var result = await new ScriptTool(_tools.Host).RunAsync([]);
        using (var stays = Process.GetProcessById(int.Parse(_tools.Read("ids"), null))) stays.Kill();

        Assert.That(result.Output, Is.EqualTo("done\n"));
    }

    [Test]
    public async Task Reports_lines_while_the_program_runs()
    {
        _tools.Program("script", "echo 'first ü' >&2; while [ ! -e go ]; do sleep 0.05; done; printf 'last' >&2");
        var lines = new List<string>();

        await new ScriptTool(_tools.Host).RunAsync([], onLine: line =>
        {
            lines.Add(line);
            File.WriteAllText(_tools.File("go"), "");
        });

        Assert.That(lines, Is.EqualTo(new[] { "first ü", "last" }));
    }

    [Test]
    public async Task A_failing_line_handler_does_not_block_the_program()
    {
        _tools.Program("script", "head -c 300000 /dev/zero | while :; do echo x >&2; break; done; head -c 300000 /dev/zero >&2; echo ended >ended");

        await Assert.ThrowsAsync<NotSupportedException>(() => new ScriptTool(_tools.Host).RunAsync([], onLine: _ => throw new NotSupportedException()));

        Assert.That(_tools.File("ended"), Does.Exist);
    }

    [Test]
    public async Task Reports_the_last_output_of_a_failed_program_and_keeps_the_rest_in_the_inner_exception()
    {
        _tools.Program("script", "echo token-on-stdout; i=0; while [ $i -lt 100 ]; do echo \"line $i\" >&2; i=$((i+1)); done; printf 'ERROR: \\033[31mno\\033[0m room' >&2; exit 7");

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new ScriptTool(_tools.Host).RequireAsync("create", "cluster")))!;

        Assert.Multiple(() =>
        {
            Assert.That(fault.Problems[0].Id, Is.EqualTo("MT2210"));
            Assert.That(fault.Problems[0].Location, Is.EqualTo("script create cluster"));
            Assert.That(fault.Message, Does.Contain("exit code 7").And.Contains("line 99").And.Contains("room"));
            Assert.That(fault.Message, Does.Not.Contain("line 3\n").And.Not.Contains("token-on-stdout").And.Not.Contains("\u001b"));
            Assert.That(((ToolFailedException)fault.InnerException!).Result.Error, Does.Contain("line 3\n"));
            Assert.That(fault.InnerException!.ToString(), Does.Not.Contain("line 3\n"));
        });
    }

    [Test]
    public async Task Reports_a_missing_program()
    {
        var tool = new ScriptTool(_tools.Host);

        Assert.That(tool.IsThere, Is.False);
        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => tool.RequireAsync()))!.Problems[0].Id, Is.EqualTo("MT2207"));
    }

    [Test]
    public async Task Reports_a_program_that_cannot_be_started()
    {
        _tools.Program("script", "exit 0", executable: false);

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new ScriptTool(_tools.Host).RequireAsync()))!;

        Assert.That((fault.Problems[0].Id, fault.Problems[0].Location), Is.EqualTo(("MT2208", _tools.File("bin/script"))));
    }

    [Test]
    public async Task The_users_kubeconfig_is_only_visible_if_it_is_passed()
    {
        _tools.Program("script", "echo $KUBECONFIG").With("KUBECONFIG", "/home/user/.kube/config");

        var alone = await new ScriptTool(_tools.Host).RunAsync([]);
        var given = await new ScriptTool(_tools.Host, new Dictionary<string, string> { ["KUBECONFIG"] = "/tmp/own" }).RunAsync([]);

        Assert.That((alone.Output, given.Output), Is.EqualTo(("/dev/null\n", "/tmp/own\n")));
    }
}
