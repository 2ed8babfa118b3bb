using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using global::Cake.Frosting;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Cake;

/// <summary>
/// The packages as a consumer gets them: packed from these sources in package mode, restored into an empty cache, and used as the README shows. If the
/// feed lacks Cake.Frosting, packages of its name hold the stand-in.
/// </summary>
[TestFixture, Category(OutsideTool.Category), NonParallelizable]
public sealed class PackageTests
{
    private const string Address = "https://github.com/meshtrust/meshtrust";
    private static readonly string[] Ids = ["MeshTrust", "MeshTrust.ControlPlanes", "Cake.Frosting.MeshTrust"];
    private ScratchDirectory _scratch = null!;
    private string _feed = null!;

    [OneTimeSetUp]
    public void Pack()
    {
        _scratch = new ScratchDirectory();
        _feed = Directory.CreateDirectory(_scratch.File("meshtrust/artifacts/packages")).FullName;
        CopySources();
        if (typeof(CakeHost).Assembly.GetName().Name != "Cake.Frosting") StandIn();
        var git = OutsideTool.Find("git");
        foreach (var command in new[] { "init --quiet", "add --all", "-c user.name=a -c user.email=a@example.com commit --quiet -m a", $"remote add origin {Address}.git" })
            Succeed(git, "meshtrust", [.. command.Split(' ')]);
        Succeed(DotNet, "meshtrust", "build", "src/Cake.Frosting.MeshTrust", "--configuration", "Release", "-p:GeneratePackageOnBuild=true", $"-p:PackageOutputPath={_feed}");
    }

    [OneTimeTearDown]
    public void Remove() => _scratch?.Dispose();

    [TestCaseSource(nameof(Ids))]
    public void Follows_the_guidelines_for_Cake_addins(string id)
    {
        using var package = ZipFile.OpenRead(Path.Combine(_feed, $"{id}.0.1.0.nupkg"));
        var nuspec = XDocument.Parse(Text(package, $"{id}.nuspec"));
        string Value(string name) => nuspec.Descendants().Single(e => e.Name.LocalName == name).Value;
        var repository = nuspec.Descendants().Single(e => e.Name.LocalName == "repository");
        var readme = Text(package, "README.md");

        using (Assert.EnterMultipleScope())
        {
            Assert.That((Value("license"), Value("projectUrl"), Value("icon"), Value("readme")), Is.EqualTo(("Apache-2.0", Address, "icon.png", "README.md")));
            Assert.That(repository.Attribute("url")?.Value, Is.EqualTo($"{Address}.git"));
            Assert.That(repository.Attribute("commit")?.Value, Has.Length.EqualTo(40));
            Assert.That(Value("tags").Split(' '), Is.SupersetOf(id.StartsWith("Cake", StringComparison.Ordinal) ? ["cake", "cake-addin", "cake-frosting", "istio"] : (string[])["kubernetes"]));
            Assert.That(new[] { Value("description"), Value("authors"), Value("copyright"), Value("releaseNotes") }, Has.All.Not.Empty);
            Assert.That(package.GetEntry("icon.png")?.Length, Is.InRange(100, 1 << 20));
            Assert.That(package.GetEntry($"lib/net10.0/{id}.xml"), Is.Not.Null, "documentation for editors");
            Assert.That(Regex.Matches(readme, @"\]\((?!https://)"), Is.Empty, "a relative link is broken on a package's page");
            foreach (Match page in Regex.Matches(readme, Regex.Escape(Address) + @"/blob/main/([\w./-]+)"))
                Assert.That(File.Exists(Path.Combine(RepositoryRoot.Path, page.Groups[1].Value)), page.Value);
        }
    }

    [TestCaseSource(nameof(Ids))]
    public void Symbols_link_to_the_sources(string id)
    {
        using var symbols = ZipFile.OpenRead(Path.Combine(_feed, $"{id}.0.1.0.snupkg"));
        using var stream = symbols.GetEntry($"lib/net10.0/{id}.pdb")!.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        Assert.That(Encoding.UTF8.GetString(bytes.ToArray()), Does.Match(@"https://raw\.githubusercontent\.com/meshtrust/meshtrust/[0-9a-f]{40}/"));
    }

    [TestCase("MeshTrust", "KubernetesClient [21.0.8, 22.0.0)", "Google.Protobuf [3.36.2, 4.0.0)", "Grpc.Net.Client [2.85.0, 3.0.0)", "BouncyCastle.Cryptography [2.7.0, 3.0.0)", "YamlDotNet [18.1.0, 19.0.0)", "Spectre.Console 0.57.2")]
    [TestCase("MeshTrust.ControlPlanes", "MeshTrust [0.1.0]", "Google.Protobuf [3.36.2, 4.0.0)", "YamlDotNet [18.1.0, 19.0.0)")]
    [TestCase("Cake.Frosting.MeshTrust", "MeshTrust.ControlPlanes [0.1.0]", "Cake.Frosting [7.0.0, 8.0.0)", "Cake.Kubectl [1.1.0, 2.0.0)")]
    public void Depends_on_versions_that_it_works_with(string id, params string[] needs)
    {
        using var package = ZipFile.OpenRead(Path.Combine(_feed, $"{id}.0.1.0.nupkg"));
        var dependencies = XDocument.Parse(Text(package, $"{id}.nuspec")).Descendants().Where(e => e.Name.LocalName == "dependency");
        Assert.That(dependencies.Select(d => $"{d.Attribute("id")!.Value} {d.Attribute("version")!.Value}"), Is.EquivalentTo(needs));
    }

    [Test]
    public void The_consumer_of_the_readme_builds_and_proves_trust()
    {
        var readme = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));
        readme = readme[readme.IndexOf("## In your own Cake build", StringComparison.Ordinal)..];
        _scratch.Write("mybuild/mybuild.csproj", Block(readme, "xml"));
        _scratch.Write("mybuild/Program.cs", Block(readme, "csharp"));
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs/consuming.md"));
        _scratch.Write("mybuild/InstallIstioTask.cs", Block(page[page.IndexOf("## Tasks of your own", StringComparison.Ordinal)..], "csharp"));
        _scratch.Write("mybuild/Clusters.cs", Block(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src/MeshTrust.ControlPlanes/README.md")), "csharp"));
        var command = Block(readme, "bash").Trim().Split(' ');

        Assert.That(Block(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "src/Cake.Frosting.MeshTrust/README.md")), "csharp"), Is.EqualTo(Block(readme, "csharp")), "shown twice");

        string[] quick = ["--rootca-keysz=p256", "--intermediate-keysz=p256"];
        var output = Succeed(DotNet, "", [.. command[1..], .. quick]);
        Assert.That(output, Does.Contain("provider: embedded").And.Contain("4 of 4 cluster pairs trust each other").And.Contain("Next steps"));
        Assert.That(Succeed(DotNet, "", ["run", "--project", "mybuild", "--no-build", "--", "--target=InstallIstio", .. quick]), Does.Contain("Call istioctl or helm here."));
        Assert.That(Succeed(DotNet, "", "run", "--project", "mybuild", "--no-build", "--", "--description"), Does.Contain("InstallIstio").And.Contain("Verify"));
    }

    private static string DotNet => OutsideTool.TryFind("dotnet")!;

    private static string Block(string page, string language) => Regex.Match(page, $"```{language}\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

    /// <summary>Every source of the packages, without build output.</summary>
    private void CopySources()
    {
        var root = RepositoryRoot.Path;
        var sources = new[] { "src", "eng" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories))
            .Where(file => !Regex.IsMatch(file, @"[\\/](bin|obj)[\\/]"))
            .Concat(Directory.EnumerateFiles(root).Where(file => Regex.IsMatch(Path.GetFileName(file), @"^(Directory\..*|global\.json|\.editorconfig|\.gitignore)$")))
            .Append(Path.Combine(root, "samples/meshtrust.schema.json"));
        foreach (var file in sources)
        {
            var copy = _scratch.File(Path.Combine("meshtrust", Path.GetRelativePath(root, file)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        _scratch.Write("meshtrust/nuget.config", File.ReadAllText(Path.Combine(root, "nuget.config")).Replace("</packageSources>", """<add key="local" value="artifacts/packages" /></packageSources>""", StringComparison.Ordinal));
    }

    private void StandIn()
    {
        var here = AppContext.BaseDirectory;
        var cake = Directory.EnumerateFiles(here, "*.dll").Where(file => Regex.IsMatch(Path.GetFileName(file), @"^(Cake\.(Core|Common|Cli|NuGet|DotNetTool\.Module)|NuGet\..*|Newtonsoft\.Json|Spectre\.Console\.Cli|MeshTrust\.FrostingCompat)\.dll$"));
        StubPackage.Write(_feed, "Cake.Frosting", "7.0.0", cake, ("Microsoft.Extensions.DependencyInjection", "10.0.15"));
        StubPackage.Write(_feed, "Cake.Kubectl", "1.1.0", [Path.Combine(here, "MeshTrust.KubectlCompat.dll")], ("Cake.Frosting", "7.0.0"));
    }

    private string Succeed(string program, string folder, params string[] arguments)
    {
        var environment = new Dictionary<string, string>
        {
            ["NUGET_PACKAGES"] = _scratch.File(folder.Length == 0 ? "consumer-cache" : "cache"), ["CakeFrosting"] = "package", ["CI"] = "", ["TF_BUILD"] = "",
            ["MESHTRUST_PROVIDER"] = "embedded", ["KUBECONFIG"] = "", ["TERM"] = "dumb", ["DOTNET_CLI_UI_LANGUAGE"] = "en",
        };
        var run = OutsideTool.Run("/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", _scratch.File(folder), program, .. arguments], input: null, environment);
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        return run.Output;
    }

    private static string Text(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }
}
