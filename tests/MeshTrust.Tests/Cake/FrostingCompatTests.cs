using System.Reflection;
using System.Reflection.Emit;
using Cake.Frosting;

namespace MeshTrust.Tests.Cake;

/// <summary>What MeshTrust relies on in Frosting. All of it is asked through the public API, so it holds for the package too.</summary>
[NonParallelizable]
public sealed partial class FrostingCompatTests
{
    private FrostingHostFixture _host = null!;

    [SetUp]
    public void MakeHost() => _host = new FrostingHostFixture();

    [Test]
    public void Runs_a_target_after_what_it_depends_on()
    {
        _host.With<Last>().With<Middle>().With<First>().With<Between>();
        Assert.That(_host.Run("--target=last"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "First", "Between", "Middle", "Last" }));
    }

    [Test]
    public void Runs_Default_when_no_target_is_named()
    {
        Assert.That(_host.With<Default>().With<First>().Run(), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "Default" }));
    }

    [TestCase("-e")]
    [TestCase("--exclusive")]
    public void Exclusive_leaves_dependencies_out(string exclusive)
    {
        _host.With<Last>().With<Middle>().With<First>();
        Assert.That(_host.Run("-t", "Last", exclusive), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "Last" }));
    }

    [Test]
    public void Two_targets_share_their_dependencies()
    {
        _host.With<Last>().With<Middle>().With<First>();
        Assert.That(_host.Run("-t", "Middle", "--target=Last"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "First", "Middle", "Last" }));
    }

    [Test]
    public void A_dry_run_sets_up_and_tears_down_but_runs_no_task()
    {
        var run = _host.With<Middle>().With<First>();
        Assert.That(run.Run(new CakeHost().UseLifetime<Life>(), "--dryrun", "--target=Middle"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "setup Middle of 2", "teardown ok" }));
        Assert.That(_host.Log.Lines, Has.Some.Contains("First").And.Some.Contains("Middle"));
    }

    [Test]
    public void A_tree_shows_the_edges_and_runs_nothing()
    {
        _host.With<Last>().With<Middle>().With<First>();
        Assert.That(_host.Run("--tree", "--description"), Is.Zero);
        Assert.That(_host.Notes, Is.Empty);
        var lines = _host.Console.Output.Split('\n').Select(line => line.TrimStart(' ', '│', '├', '└', '─')).Where(line => line.Length > 0);
        Assert.That(lines, Is.EqualTo(new[] { "Last", "Middle", "First" }));
    }

    [Test]
    public void Descriptions_are_shown()
    {
        Assert.That(_host.With<Last>().With<First>().With<Middle>().Run("--description"), Is.Zero);
        Assert.That(_host.Shown, Does.Match("Last +comes last"));
    }

    [Test]
    public void The_exception_of_a_task_reaches_teardown_and_the_exit_code_is_one()
    {
        _host.With<Fails>().With<AfterFails>();
        Assert.That(_host.Run(new CakeHost().UseLifetime<Life>().UseTaskLifetime<TaskLife>(), "--target=AfterFails"), Is.EqualTo(1));
        Assert.That(_host.Notes, Is.EqualTo(new[] { "setup AfterFails of 2", "before Fails", "finally", "after Fails: Fault", "teardown Fault" }));
        Assert.That(_host.Log.Lines, Has.Some.Contains("it went wrong"));
    }

    [Test]
    public void Teardown_is_told_of_a_run_that_went_well()
    {
        Assert.That(_host.With<First>().Run(new CakeHost().UseSetup<SetupOnly>().UseTeardown<TeardownOnly>().UseTaskSetup<TaskSetupOnly>().UseTaskTeardown<TaskTeardownOnly>(), "-t", "First"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "setup", "before First", "First", "after First", "teardown True" }));
    }

    [Test]
    public void One_object_sets_up_and_tears_down()
    {
        Assert.That(_host.With<First>().Run(new CakeHost().UseLifetime<Carrier>(), "-t", "First"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "First", "carried First" }));
    }

    [Test]
    public void Goes_on_after_a_fault_where_the_task_says_so()
    {
        Assert.That(_host.With<FailsAndGoesOn>().With<AfterGoesOn>().Run("-t", "AfterGoesOn"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "AfterGoesOn" }));
    }

    [Test]
    public void An_override_of_OnError_swallows_the_fault()
    {
        Assert.That(_host.With<Swallows>().Run("-t", "Swallows"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "swallowed it went wrong" }));
    }

    [Test]
    public void OnError_and_ContinueOnError_together_break_every_run()
    {
        Assert.That(_host.With<First>().With<Both>().Run("--tree"), Is.Not.Zero);
        Assert.That(_host.Log.Lines, Has.Some.Contains("error handler"));
    }

    [Test]
    public void Skips_a_dependency_that_should_not_run_and_refuses_such_a_target()
    {
        Assert.That(_host.With<NotNow>().With<AfterNotNow>().Run("-t", "AfterNotNow"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "AfterNotNow" }));
        Assert.That(new FrostingHostFixture().With<NotNow>().Run("-t", "NotNow"), Is.EqualTo(1));
    }

    [Test]
    public void An_unknown_target_is_a_fault_that_names_it()
    {
        Assert.That(_host.With<First>().Run("--target=Frist"), Is.EqualTo(1));
        Assert.That(_host.Log.Lines, Has.Some.Contains("Frist"));
    }

    [Test]
    public void Two_tasks_of_one_name_break_every_run()
    {
        Assert.That(_host.With<First>().With<FirstAgain>().Run("--tree"), Is.EqualTo(1));
        Assert.That(_host.Log.Lines, Has.Some.Contains("FIRST"));
    }

    [Test]
    public void A_task_for_another_context_is_left_out_with_a_warning()
    {
        Assert.That(_host.With<First>().With<ForAnother>().Run("-t", "First"), Is.Zero);
        Assert.That(_host.Log.Lines, Has.Some.StartsWith("Warning").And.Some.Contains("ForAnother"));
        Assert.That(new FrostingHostFixture().With<ForAnother>().Run("-t", "ForAnother"), Is.EqualTo(1));
    }

    [Test]
    public void A_context_of_ones_own_is_given_to_tasks()
    {
        Assert.That(_host.With<ForOwn>().Run(new CakeHost().UseContext<OwnContext>(), "-t", "ForOwn"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "own" }));
    }

    [TestCase("--name=a", "name", "a")]
    [TestCase("--name a", "name", "a")]
    [TestCase("--name a --name=b", "name", "a|b")]
    [TestCase("--name --other", "name", "")]
    [TestCase("--name=a=b", "name", "a=b")]
    [TestCase("-x 1", "x", "1")]
    [TestCase("--target=Arguments", "target", "Arguments")]
    public void What_the_host_does_not_know_is_an_argument_for_the_build(string line, string name, string expected)
    {
        string[] args = [.. line.Split(' '), .. line.Contains("target", StringComparison.Ordinal) ? Array.Empty<string>() : ["-t", "Arguments"]];
        Assert.That(_host.With<Arguments>().Run(args), Is.Zero);
        Assert.That(_host.Notes, Does.Contain($"{name}={expected}"));
    }

    [Test]
    public void An_argument_can_be_empty()
    {
        Assert.That(_host.With<Arguments>().Run("-t", "Arguments", "--name", ""), Is.Zero);
        Assert.That(_host.Notes, Does.Contain("name="));
    }

    [TestCase("First")]
    [TestCase("--a=b")]
    [TestCase("--name=")]
    [TestCase("--target")]
    [TestCase("--verbosity=loud")]
    [TestCase("-")]
    public void A_command_line_that_cannot_be_read_gives_255(string line)
    {
        Assert.That(_host.With<First>().Run(line.Split(' ')) & 0xFF, Is.EqualTo(255));
        Assert.That(_host.Notes, Is.Empty);
    }

    [TestCase("--verbosity=diagnostic")]
    [TestCase("-v diagnostic")]
    public void The_verbosity_is_that_of_the_log(string line)
    {
        Assert.That(_host.With<First>().Run(["-t", "First", .. line.Split(' ')]), Is.Zero);
        Assert.That(_host.Log.Verbosity, Is.EqualTo(global::Cake.Core.Diagnostics.Verbosity.Diagnostic));
    }

    [TestCase("--help")]
    [TestCase("-h")]
    [TestCase("--version")]
    public void Help_and_version_run_nothing(string option)
    {
        Assert.That(_host.With<Default>().Run(option), Is.Zero);
        Assert.That(_host.Notes, Is.Empty);
    }

    [Test]
    public void Only_public_tasks_of_an_added_assembly_are_found_and_only_once()
    {
        var assembly = AssemblyWithTasks();
        Assert.That(_host.Run(new CakeHost().AddAssembly(assembly), "--tree"), Is.Zero);
        Assert.That(_host.Console.Output, Does.Contain("PublicTask").And.Not.Contain("HiddenTask"));
        Assert.That(new FrostingHostFixture().Run(new CakeHost().AddAssembly(assembly).AddAssembly(assembly), "--tree"), Is.EqualTo(1));
    }

    private static Assembly AssemblyWithTasks()
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("TasksOfATest"), typeof(object).Assembly);
        var module = assembly.DefineDynamicModule("TasksOfATest");
        module.DefineType("PublicTask", TypeAttributes.Public, typeof(FrostingTask)).CreateType();
        module.DefineType("HiddenTask", TypeAttributes.NotPublic, typeof(FrostingTask)).CreateType();
        using var image = new MemoryStream();
        assembly.Save(image);
        return Assembly.Load(image.ToArray());
    }
}
