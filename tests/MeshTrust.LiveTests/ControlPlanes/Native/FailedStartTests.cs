using MeshTrust.IO;
using MeshTrust.ControlPlanes.Native;


namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>Programs that do not start, and what is reported.</summary>
[TestFixture, NonParallelizable]
[Platform(Exclude = "Win", Reason = "the programs are shell scripts")]
public sealed class FailedStartTests
{
    [Test]
    public async Task Reports_an_early_exit_with_output_log_command_and_hint()
    {
        using var fake = new FakePrograms("echo 'no space left on device' >&2; exit 3");
        var fault = await FakePrograms.FailAsync(fake.Options() with { EtcdTransport = EtcdTransport.Tcp });

        var problem = fault.Problems.Single();
        var log = problem.Message.Split('\n').Single(line => line.Contains("Log: ", StringComparison.Ordinal)).Split("Log: ")[1].Trim();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((fault.Stage, problem.Id, problem.Location), Is.EqualTo((Stage.ClusterCreation, "MT2120", "east")));
            Assert.That(problem.Message, Does.Contain("etcd exited with code 3").And.Contain("Last output: no space left on device").And.Contain($"Command: {fake.Binaries.Etcd} --name=default"));
            Assert.That(problem.Hint, Does.Contain("disk or /dev/shm is full"));
            Assert.That(File.ReadAllText(log), Is.EqualTo("no space left on device\n"));
            AssertNothingLeft(fake);
        }
    }

    [Test]
    public async Task Ends_a_process_that_never_gets_ready_even_if_it_ignores_signals()
    {
        using var fake = new FakePrograms("trap '' TERM INT HUP; echo starting; while :; do sleep 1; done");
        var fault = await FakePrograms.FailAsync(fake.Options() with { StartTimeout = TimeSpan.FromSeconds(1) });

        Assert.That(fault.Message, Does.Contain("MT2121").And.Contain("etcd was not ready after 1 s").And.Contain("Last output: starting").And.Contain("KUBEBUILDER_CONTROLPLANE_START_TIMEOUT"));
        AssertNothingLeft(fake);
    }

    [Test]
    public async Task Retries_with_another_port_if_one_is_in_use()
    {
        using var fake = new FakePrograms("echo 'listen tcp 127.0.0.1:1: bind: address already in use' >&2; exit 1");
        var fault = await FakePrograms.FailAsync(fake.Options() with { EtcdTransport = EtcdTransport.Tcp });

        Assert.That(fault.Message, Does.Contain("MT2122"));
        Assert.That(fake.Notes.Select(line => line.Split("--listen-client-urls=")[1].Split(' ')[0]).Distinct().Count(), Is.EqualTo(4), "each with a port of its own");
        AssertNothingLeft(fake);
    }

    [Test]
    public async Task Calls_etcd_over_TCP_if_it_does_not_support_a_Unix_socket()
    {
        using var fake = new FakePrograms("exit 1");
        await FakePrograms.FailAsync(fake.Options());

        Assert.That(fake.Notes.Select(line => line.Split("--listen-client-urls=")[1][..5]), Is.EqualTo(new[] { "unix:", "http:" }));
    }

    [Test]
    public async Task Uses_TCP_if_the_path_is_too_long_for_a_socket()
    {
        using var fake = new FakePrograms("exit 1");
        await FakePrograms.FailAsync(fake.Options() with { RunDirectory = Path.Combine(fake.RunRoot, new string('x', 100)) });

        Assert.That(fake.Notes.Single(), Does.Contain("--listen-client-urls=http://127.0.0.1:"));
    }

    [Test]
    public async Task Drains_a_noisy_process_and_keeps_the_end_of_its_output()
    {
        using var fake = new FakePrograms("i=0; while [ $i -lt 3000 ]; do echo 'noise noise noise noise noise noise noise noise noise noise noise noise noise noise noise'; echo noise >&2; i=$((i+1)); done; echo the end >&2; exit 4");
        var fault = await FakePrograms.FailAsync(fake.Options() with { EtcdTransport = EtcdTransport.Tcp });

        Assert.That(fault.Message, Does.Contain("exited with code 4").And.Contain("the end").And.Length.LessThan(5000));
    }

    [Test]
    public async Task A_failed_process_ends_the_whole_set()
    {
        using var fake = new FakePrograms("case $PWD in */west) echo no >&2; exit 7;; esac; exec sleep 600");
        var fault = await FakePrograms.FailAsync(fake.Options("east", "west", "north") with { Parallel = 3, EtcdTransport = EtcdTransport.Tcp });

        Assert.That(fault.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT2120", "west") }));
        AssertNothingLeft(fake);
    }

    [Test]
    public async Task A_cancelled_start_leaves_no_process_or_directory()
    {
        using var fake = new FakePrograms("exec sleep 600");
        using var stop = new CancellationTokenSource();
        var start = NativeControlPlanes.StartAsync(fake.Options("east", "west"), stop.Token);
        while (fake.Notes.Count < 2) await Task.Delay(10);
        await stop.CancelAsync();

        Assert.That(async () => await start, Throws.InstanceOf<OperationCanceledException>().With.Message.Contains("east, west"));
        AssertNothingLeft(fake);
        Assert.That(Directory.GetDirectories(fake.RunRoot), Is.Empty, "no logs either: nothing failed");
    }

    [Test]
    public async Task Keeps_everything_if_requested()
    {
        using var fake = new FakePrograms("exit 1");
        await FakePrograms.FailAsync(fake.Options() with { KeepOnFailure = true });

        Assert.That(fake.Left, Has.Count.EqualTo(1));
    }

    [TestCase("#!/bin/sh\n", false, "permission denied")]
    [TestCase("\0garbage", true, "exec format error")]
    [TestCase(null, true, "the program does not exist")]
    public async Task Reports_a_program_that_cannot_be_started(string? content, bool executable, string why)
    {
        using var fake = new FakePrograms("exit 1");
        var etcd = content is null ? Path.Combine(fake.RunRoot, "none") : fake.WriteRaw("broken/etcd", content, executable);
        var fault = await FakePrograms.FailAsync(fake.Options() with { Binaries = fake.Binaries with { Etcd = etcd } });

        Assert.That(fault.Message, Does.Contain("MT2123").And.Contain(why).And.Contain($"Command: {etcd}"));
        AssertNothingLeft(fake);
    }

    [Test]
    public async Task An_extra_flag_replaces_the_default_of_the_same_name()
    {
        using var fake = new FakePrograms("exit 1");
        await FakePrograms.FailAsync(fake.Options() with { ExtraEtcdFlags = ["--log-level=debug", "--quota-backend-bytes=1"], EtcdTransport = EtcdTransport.Tcp });

        Assert.That(fake.Notes.Single(), Does.Contain("--log-level=debug --quota-backend-bytes=1").And.Not.Contain("--log-level=warn"));
    }

    [Test]
    public async Task Does_not_pass_on_variables_of_etcd()
    {
        Environment.SetEnvironmentVariable("ETCD_MESHTRUST_TEST", "1");
        using var fake = new FakePrograms("env; exit 1");
        var fault = await FakePrograms.FailAsync(fake.Options() with { EtcdTransport = EtcdTransport.Tcp });
        var said = File.ReadAllText(fault.Problems[0].Message.Split("Log: ")[1].Split('\n')[0].Trim());

        Assert.That(said, Does.Not.Contain("ETCD_MESHTRUST_TEST").And.Contain("127.0.0.1,localhost"));
    }

    [Test]
    public void Rejects_invalid_and_duplicate_names()
    {
        using var fake = new FakePrograms("exit 1");
        Assert.That(() => NativeControlPlanes.StartAsync(fake.Options("a", "a")), Throws.ArgumentException);
        Assert.That(() => NativeControlPlanes.StartAsync(fake.Options("A/..")), Throws.InstanceOf<Exception>());
    }

    private static void AssertNothingLeft(FakePrograms fake)
    {
        Assert.That(fake.Ids.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty, "processes");
        Assert.That(fake.Left, Is.Empty, "directories");
    }
}
