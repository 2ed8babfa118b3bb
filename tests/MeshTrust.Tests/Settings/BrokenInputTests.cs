using System.Text.RegularExpressions;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed partial class BrokenInputTests
{
    [TestCaseSource(typeof(BrokenInput), nameof(BrokenInput.All))]
    public void Is_rejected_with_its_id_and_location(BrokenInput input)
    {
        var fault = TopologySamples.Refuse(input.Arguments, input.Text, input.File, TopologySamples.Environment(input.Environment));
        var errors = fault.Problems.Where(p => p.Severity == Severity.Error).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Stage, Is.EqualTo(Stage.Input));
            Assert.That(errors.Select(p => (p.Id, p.Location)), Does.Contain((input.Id, input.Location)), fault.Message);
            Assert.That(errors.Select(p => p.Id).Distinct(), Has.Exactly(1).Items, "one mistake, one id: " + fault.Message);
            foreach (var problem in fault.Problems)
            {
                Assert.That(problem.Message, Does.EndWith(".").Or.EndWith("?"), problem.ToString());
                Assert.That(problem.Hint, Does.EndWith(".").Or.EndWith(")"), problem.ToString());
                Assert.That(problem.ToString(), Does.Not.Contain("\n"));
            }
        }
    }

    [Test]
    public void Are_more_than_150_and_all_distinct()
    {
        var all = BrokenInput.All.ToList();
        Assert.That(all, Has.Count.GreaterThanOrEqualTo(150));
        Assert.That(all.Select(i => (i.Arguments, i.Environment, i.Text, i.File)), Is.Unique);
    }

    [Test]
    public void Cover_every_id_of_the_page_on_problems()
    {
        var page = File.ReadAllText(Path.Combine(TopologySamples.RepositoryRoot, "docs", "problems.md"));
        var sources = Directory.GetFiles(Path.Combine(TopologySamples.RepositoryRoot, "src", "MeshTrust", "Settings"), "*.cs", SearchOption.AllDirectories);
        var used = sources.SelectMany(f => Id().Matches(File.ReadAllText(f)).Select(m => m.Value)).Distinct().ToList();
        Assert.That(used, Has.Count.GreaterThan(30));
        Assert.That(used.Where(id => !page.Contains($"| {id} |", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Are_all_reported_at_once_from_all_sources()
    {
        var fault = TopologySamples.Refuse(
            "--bogus --timeout=20",
            TopologySamples.Head + "mod: sidecar\nclusters: [{name: a, primary: b}]\n",
            environment: TopologySamples.Environment("ROOTCA_DAYS=x"));
        Assert.That(fault.Problems.Select(p => p.Id), Is.EquivalentTo(["MT0001", "MT0006", "MT0102", "MT0112", "MT0004"]));
    }

    [Test]
    public void Never_show_a_pasted_key()
    {
        const string Pem = "-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        foreach (var (arguments, environment, text) in new[] { ("", $"ROOTCA_KEYSZ={Pem}", null), ("", "", TopologySamples.Head + $"mode: \"{Pem}\"\n") })
        {
            var fault = TopologySamples.Refuse(arguments, text, environment: TopologySamples.Environment(environment));
            Assert.That(fault.Message, Does.Not.Contain("MIIEv").And.Contain("not shown"));
        }
    }

    [Test]
    public void Stay_readable_for_a_file_of_garbage()
    {
        var fault = TopologySamples.Refuse("", TopologySamples.Head + string.Concat(Enumerable.Range(0, 5000).Select(i => $"nonsense{i}: 1\n")));
        Assert.That(fault.Problems, Has.Count.LessThanOrEqualTo(201));
        Assert.That(fault.Problems[^1].Message, Does.Contain("4800 more"));
    }

    [TestCase("a: &a [x, x, x, x, x, x, x, x, x]\n", "abcdefghi")]
    public void Bound_the_expansion_of_aliases(string first, string names)
    {
        var text = TopologySamples.Head + first;
        for (var i = 1; i < names.Length; i++) text += $"{names[i]}: &{names[i]} [{string.Join(", ", Enumerable.Repeat("*" + names[i - 1], 9))}]\n";
        Assert.That(TopologySamples.Refuse("", text).Problems.Select(p => p.Id), Is.EqualTo(["MT0110"]));
    }

    [Test]
    public void Bound_how_deep_aliases_nest()
    {
        var text = TopologySamples.Head + "a0: &a0 x\n" + string.Concat(Enumerable.Range(1, 500).Select(i => $"a{i}: &a{i} [*a{i - 1}]\n"));
        Assert.That(TopologySamples.Refuse("", text).Problems.Select(p => p.Id), Is.EqualTo(["MT0110"]));
    }

    [Test]
    public void Bound_the_size_of_a_file()
    {
        var fault = TopologySamples.Refuse("", new string('#', TopologyFile.MaxBytes + 1));
        Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT0110"));
    }

    [Test]
    public void Throw_nothing_but_a_MeshTrustException()
    {
        var random = new Random(20260101);
        var sound = TopologySamples.SampleFiles.Concat(Directory.GetFiles(TopologySamples.IstioDirectory, "*.json"))
            .Select(f => (Name: Path.GetExtension(f) == ".json" ? "mesh.json" : "mesh.yaml", Text: File.ReadAllText(f)))
            .ToList();
        var broke = BrokenInput.All.Where(i => i.Text is not null).Select(i => (Name: i.File, Text: i.Text!)).ToList();
        const string Alphabet = "{}[]:,-&*!|>'\"#%@`?~ \n\t\r\\$0aZ\u0000\u2028\ud800\ufeffä<";
        var (refused, taken) = (0, 0);
        for (var round = 0; round < 6000; round++)
        {
            var seeds = random.Next(3) == 0 ? broke : sound;
            var (name, text) = seeds[random.Next(seeds.Count)];
            var mutated = text.ToList();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                var at = random.Next(mutated.Count + 1);
                switch (random.Next(5))
                {
                    case 0: mutated.Insert(at, Alphabet[random.Next(Alphabet.Length)]); break;
                    case 1 when at < mutated.Count: mutated.RemoveAt(at); break;
                    case 2 when at < mutated.Count: mutated[at] = Alphabet[random.Next(Alphabet.Length)]; break;
                    case 3 when at < mutated.Count: mutated.RemoveRange(at, Math.Min(random.Next(40), mutated.Count - at)); break;
                    default: mutated.InsertRange(at, mutated.Skip(random.Next(mutated.Count + 1)).Take(random.Next(60)).ToList()); break;
                }
            }

            var file = random.Next(4) == 0 ? "other.txt" : name;
            var document = new string([.. mutated]);
            try
            {
                var settings = TopologySamples.Bind(round % 2 == 0 ? "" : "--istio-compat", document, file);
                Assert.That(settings.Topology.Clusters, Is.Not.Empty);
                taken++;
            }
            catch (MeshTrustException fault)
            {
                Assert.That(fault.Problems.Select(p => p.Id), Has.All.Match("^MT0[01][0-9]{2}$"));
                refused++;
            }
            catch (Exception fault)
            {
                Assert.Fail($"round {round}: {fault.GetType().Name}: {fault.Message}\n{document}\n{fault.StackTrace}");
            }
        }

        TestContext.Out.WriteLine($"{refused} refused, {taken} taken");
        Assert.That(refused, Is.GreaterThan(3000));
        Assert.That(taken, Is.GreaterThan(100));
    }

    [GeneratedRegex("MT0[0-9]{3}")]
    private static partial Regex Id();
}
