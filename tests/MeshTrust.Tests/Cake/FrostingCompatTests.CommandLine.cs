using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;
using Cake.Frosting.MeshTrust.Tasks;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake;

/// <summary>Every spelling of Cake's own options, by its effect. The rows without normalization are the observed behaviour of Cake.Frosting.</summary>
public sealed partial class FrostingCompatTests
{
    private static readonly string[] TargetNames = ["--target", "-t"];
    private static readonly string[] ExclusiveNames = ["--exclusive", "-e"];
    private static readonly string[] DryRunNames = ["--dryrun", "--noop", "--whatif"];
    private static readonly string[] TreeNames = ["--tree", "--showtree"];
    private static readonly string[] DescriptionNames = ["--description", "--descriptions", "--showdescription", "--showdescriptions"];
    private static readonly string[] HelpNames = ["--help", "-h", "-?"];
    private static readonly string[] VersionNames = ["--version", "--ver", "--info"];
    private static readonly string[] VerbosityNames = ["--verbosity", "-v"];
    private static readonly string[] WorkingNames = ["--working", "-w"];

    public static IEnumerable<string> Targets => InEveryCase(TargetNames);

    public static IEnumerable<string> Exclusives => InEveryCase(ExclusiveNames);

    public static IEnumerable<string> DryRuns => InEveryCase(DryRunNames);

    public static IEnumerable<string> Trees => InEveryCase(TreeNames);

    public static IEnumerable<string> TaskDescriptions => InEveryCase(DescriptionNames);

    public static IEnumerable<string> Helps => InEveryCase(HelpNames);

    public static IEnumerable<string> Versions => InEveryCase(VersionNames);

    public static IEnumerable<string> Verbosities => InEveryCase(VerbosityNames);

    public static IEnumerable<string> Workings => InEveryCase(WorkingNames);

    [Test]
    public void Every_option_of_Cake_is_tested_here()
    {
        string[] tried = [.. TargetNames, .. ExclusiveNames, .. DryRunNames, .. TreeNames, .. DescriptionNames, .. HelpNames, .. VersionNames, .. VerbosityNames, .. WorkingNames];
        Assert.That(tried.Select(name => name.TrimStart('-')).Except(["?"]), Is.EquivalentTo(ArgumentSet.OfCake));
    }

    [TestCaseSource(nameof(Targets))]
    public void A_target_runs_in_every_spelling(string name)
    {
        foreach (var line in new[] { $"{name}=Middle", $"{name}:Middle", $"{name} Middle", $"-- {name}=Middle", $"{name}=First {name}=Middle", $"--target=First {name}=Middle" })
            Assert.That(Ran(line), Is.EqualTo("First Middle"), line);
    }

    [TestCaseSource(nameof(Exclusives))]
    public void Exclusive_leaves_dependencies_out_in_every_spelling(string name)
    {
        foreach (var line in new[] { name, $"{name}=true", $"{name}:TRUE", $"{name} True" }) Assert.That(Ran($"{line} --target=Middle"), Is.EqualTo("Middle"), line);
        foreach (var line in new[] { $"{name}=false", $"{name}:false", $"{name} false" }) Assert.That(Ran($"{line} --target=Middle"), Is.EqualTo("First Middle"), line);
    }

    [TestCaseSource(nameof(DryRuns))]
    public void A_dry_run_runs_nothing_in_every_spelling(string name)
    {
        Assert.That(Ran($"--target=Middle {name}"), Is.Empty);
        Assert.That(_host.Log.Lines, Has.Some.Contains("2. Middle"));
        Assert.That(Ran($"--target=Middle {name}=true --tree"), Is.Empty);
        Assert.That(_host.Log.Lines, Has.Some.Contains("2. Middle"), "a dry run comes before a tree");
        Assert.That(Ran($"--target=Middle {name}=false"), Is.EqualTo("First Middle"));
    }

    [TestCaseSource(nameof(Trees))]
    public void The_tree_is_shown_in_every_spelling(string name)
    {
        Assert.That(Ran(name), Is.Empty);
        Assert.That(_host.Console.Output, Does.Contain("└─First"));
    }

    [TestCaseSource(nameof(TaskDescriptions))]
    public void Descriptions_are_shown_in_every_spelling(string name)
    {
        Assert.That(Ran(name), Is.Empty);
        Assert.That(_host.Shown, Does.Match("Last +comes last"));
    }

    [TestCaseSource(nameof(Helps))]
    [TestCaseSource(nameof(Versions))]
    public void Help_and_version_run_nothing_in_every_spelling(string name)
    {
        Assert.That(Ran($"{name} --target=Middle"), Is.Empty);
        // The package writes its help without using the host's services.
        if (!Helps.Contains(name)) Assert.That(_host.Console.Output, Is.Not.Empty);
    }

    [TestCaseSource(nameof(Verbosities))]
    public void The_verbosity_is_set_in_every_spelling(string name)
    {
        foreach (var (value, expected) in new[] { ("quiet", Verbosity.Quiet), ("M", Verbosity.Minimal), ("Verbose", Verbosity.Verbose), ("d", Verbosity.Diagnostic) })
        {
            foreach (var separator in "=: ")
            {
                Assert.That(Ran($"{name}{separator}{value} --target=First"), Is.EqualTo("First"));
                Assert.That(_host.Log.Verbosity, Is.EqualTo(expected), $"{name}{separator}{value}");
            }
        }
    }

    [TestCaseSource(nameof(Workings))]
    public void The_working_directory_is_set_in_every_spelling(string name)
    {
        using var scratch = new ScratchDirectory();
        var before = Environment.CurrentDirectory;
        try
        {
            foreach (var separator in "=: ")
            {
                Environment.CurrentDirectory = before;
                Assert.That(Ran($"{name}{separator}{scratch.Location} --target=Where"), Is.EqualTo(scratch.Location));
            }
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    [Test]
    public void An_argument_in_two_spellings_has_both_values()
    {
        Assert.That(Ran("--target=Arguments --name=a --NAME=b --Name c"), Does.Contain("name=a|b|c"));
        Assert.That(Ran("---Target=Arguments --name=A=B"), Does.Contain("name=A=B"), "a value keeps its case");
    }

    /// <summary>What Cake.Frosting does with an unchanged command line: the stand-in does the same, so a host has to normalize it.</summary>
    [TestCase("--Target=Middle", "First Middle")]
    [TestCase("--TARGET=Middle", "Default")]
    [TestCase("-T Middle", "Default")]
    [TestCase("--DryRun", "Default")]
    [TestCase("--Tree", "Default")]
    [TestCase("--Help", "Default")]
    [TestCase("-- --target=Middle", "Default")]
    [TestCase("-- Middle", "Default")]
    [TestCase("---target=Middle", "Default")]
    [TestCase("--target=Middle --dryrun --dryrun=false", "First Middle")]
    [TestCase("-ex", "Default")]
    [TestCase("-?", "")]
    [TestCase("-he", "")]
    [TestCase("--help x", null)]
    [TestCase("--help=false", null)]
    [TestCase("--dryrun=1", null)]
    [TestCase("--tree First", null)]
    [TestCase("-tMiddle", null)]
    [TestCase("-et Middle", null)]
    [TestCase("-xe=true", null)]
    [TestCase("-target=Middle", null)]
    [TestCase("-whatif", null)]
    [TestCase("--t=Middle", null)]
    public void The_host_takes_its_own_options_as_Cake_does(string line, string? ran)
    {
        Prepare();
        var code = _host.Run(line.Split(' ')) & 0xFF;
        Assert.That((code, string.Join(' ', _host.Notes)), Is.EqualTo((ran is null ? 255 : 0, ran ?? "")), _host.Console.Error);
    }

    [TestCase("--TARGET=Clean")]
    [TestCase("--target=Clean", Description = "the control: it is an unknown target")]
    [TestCase("-E")]
    [TestCase("--DryRun")]
    [TestCase("--WHATIF")]
    [TestCase("-- --dryrun")]
    public void A_task_of_MeshTrust_does_not_run_if_Cake_did_not_recognize_its_option(string line)
    {
        using var scratch = new ScratchDirectory();
        var work = scratch.File("work");
        _host.With<ConsumersDefault>().With<RootCaTask>().Configure(services => services.AddMeshTrust());

        Assert.That(_host.Run([$"--work-dir={work}", "--rootca-keysz=p256", .. line.Split(' ')]), Is.Not.Zero);
        Assert.That(_host.Log.Lines, Has.Some.Contains(line.StartsWith("--target", StringComparison.Ordinal) ? "Clean" : "MT0018"));
        Assert.That(Directory.Exists(work), Is.False);
    }

    private static IEnumerable<string> InEveryCase(IEnumerable<string> names) =>
        names.SelectMany(name => new[] { name, name.ToUpperInvariant(), string.Concat(name.Select((c, i) => i % 2 == 0 ? char.ToUpperInvariant(c) : c)) }).Distinct();

    /// <summary>Runs a normalized line in its own host; it must succeed.</summary>
    private string Ran(string line)
    {
        Prepare();
        Assert.That(_host.Run([.. CakeCommandLine.Normalize(line.Split(' '))]), Is.Zero, $"{line}: {_host.Console.Error} {string.Join(" / ", _host.Log.Lines)}");
        return string.Join(' ', _host.Notes);
    }

    private void Prepare() => _host = new FrostingHostFixture().With<Default>().With<Last>().With<Middle>().With<First>().With<Where>().With<Arguments>();

    private sealed class Where(List<string> notes) : FrostingTask
    {
        public override void Run(ICakeContext context) => notes.Add(context.Environment.WorkingDirectory.FullPath);
    }

    [TaskName("Default"), IsDependentOn(typeof(RootCaTask))]
    private sealed class ConsumersDefault : FrostingTask;
}
