using System.Reflection;
using System.Reflection.Emit;
using Cake.Frosting;

namespace MeshTrust.Tests.Cake;

/// <summary>What MeshTrust relies on in Frosting. All tests use the public API, so they also apply to the package.</summary>
[NonParallelizable]
public sealed partial class FrostingCompatTests
{
    private FrostingHostFixture _host = null!;

    [SetUp]
    public void CreateHost() => _host = new FrostingHostFixture();

    [Test]
    public void Runs_a_target_after_what_it_depends_on()
    {
        _host.With<Last>().With<Middle>().With<First>().With<Between>();
        Assert.That(_host.Run("--target=last"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "First", "Between", "Middle", "Last" }));
    }

    [Test]
    public void Runs_Default_if_no_target_is_given()
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
    public void The_tree_shows_dependencies_and_runs_nothing()
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
    public void Teardown_receives_the_outcome_of_a_successful_run()
    {
        Assert.That(_host.With<First>().Run(new CakeHost().UseSetup<SetupOnly>().UseTeardown<TeardownOnly>().UseTaskSetup<TaskSetupOnly>().UseTaskTeardown<TaskTeardownOnly>(), "-t", "First"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "setup", "before First", "First", "after First", "teardown True" }));
    }

    [Test]
    public void A_lifetime_both_sets_up_and_tears_down()
    {
        Assert.That(_host.With<First>().Run(new CakeHost().UseLifetime<Carrier>(), "-t", "First"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "First", "carried First" }));
    }

    [Test]
    public void Continues_after_an_error_if_the_task_says_so()
    {
        Assert.That(_host.With<FailsAndGoesOn>().With<AfterGoesOn>().Run("-t", "AfterGoesOn"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "AfterGoesOn" }));
    }

    [Test]
    public void An_override_of_OnError_swallows_the_error()
    {
        Assert.That(_host.With<Swallows>().Run("-t", "Swallows"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "swallowed it went wrong" }));
    }

    [Test]
    public void OnError_and_ContinueOnError_together_fail_every_run()
    {
        Assert.That(_host.With<First>().With<Both>().Run("--tree"), Is.Not.Zero);
        Assert.That(_host.Log.Lines, Has.Some.Contains("error handler"));
    }

    [Test]
    public void Skips_a_dependency_that_should_not_run_and_rejects_such_a_target()
    {
        Assert.That(_host.With<NotNow>().With<AfterNotNow>().Run("-t", "AfterNotNow"), Is.Zero);
        Assert.That(_host.Notes, Is.EqualTo(new[] { "AfterNotNow" }));
        Assert.That(new FrostingHostFixture().With<NotNow>().Run("-t", "NotNow"), Is.EqualTo(1));
    }

    [Test]
    public void An_unknown_target_is_an_error_that_names_it()
    {
        Assert.That(_host.With<First>().Run("--target=Frist"), Is.EqualTo(1));
        Assert.That(_host.Log.Lines, Has.Some.Contains("Frist"));
    }

    [Test]
    public void Two_tasks_of_the_same_name_fail_every_run()
    {
        Assert.That(_host.With<First>().With<FirstAgain>().Run("--tree"), Is.EqualTo(1));
        Assert.That(_host.Log.Lines, Has.Some.Contains("FIRST"));
    }

    [Test]
    public void A_task_for_another_context_is_skipped_with_a_warning()
    {
        Assert.That(_host.With<First>().With<ForAnother>().Run("-t", "First"), Is.Zero);
        Assert.That(_host.Log.Lines, Has.Some.StartsWith("Warning").And.Some.Contains("ForAnother"));
        Assert.That(new FrostingHostFixture().With<ForAnother>().Run("-t", "ForAnother"), Is.EqualTo(1));
    }

    [Test]
    public void A_custom_context_is_passed_to_tasks()
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
    public void Unknown_host_options_become_arguments_of_the_build(string line, string name, string expected)
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
    public void An_invalid_command_line_exits_with_255(string line)
    {
        Assert.That(_host.With<First>().Run(line.Split(' ')) & 0xFF, Is.EqualTo(255));
        Assert.That(_host.Notes, Is.Empty);
    }

    [TestCase("--verbosity=diagnostic")]
    [TestCase("-v diagnostic")]
    public void The_verbosity_applies_to_the_log(string line)
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
