using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MeshTrust.Tests.Architecture;

/// <summary>The docs show the sample as the solution compiles it.</summary>
[TestFixture]
public sealed class DocumentedSampleTests
{
    [Test]
    public void The_page_on_tests_shows_the_sample_as_it_is()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/kubernetes-in-dotnet-tests.md"));
        var shown = Regex.Match(page, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

        Assert.That(shown, Is.EqualTo(File.ReadAllText(Path.Combine(SourceTree.Root, "samples/kubernetes-tests/SecretTests.cs"))));
    }

    /// <summary>A consumer of the package has no docs folder: messages name pages by their URL.</summary>
    [Test]
    public void Pages_that_messages_name_exist_and_have_a_URL()
    {
        var named = SourceTree.Under("src").SelectMany(file => Regex.Matches(file.Code, @"\{(?:Text\.)?Docs\}/([\w-]+\.md)").Select(match => match.Groups[1].Value)).ToHashSet();
        var bare = SourceTree.Under("src").Where(file => !file.Path.EndsWith("SettingsPages.cs", StringComparison.Ordinal) && Regex.IsMatch(file.Code, @"[^{/]docs/[\w-]+\.md"));
        var address = XDocument.Load(Path.Combine(SourceTree.Root, "src/Directory.Build.props")).Descendants("PackageProjectUrl").Single().Value;

        Assert.That(named.Where(page => !File.Exists(Path.Combine(SourceTree.Root, "docs", page))), Is.Empty);
        Assert.That(named, Is.Not.Empty);
        Assert.That(bare, Is.Empty);
        Assert.That($"{address}/blob/main/docs", Is.EqualTo(global::MeshTrust.IO.Text.Docs));
    }

    [Test]
    public void The_readme_shows_the_version_that_is_packed()
    {
        var version = XDocument.Load(Path.Combine(SourceTree.Root, "Directory.Build.props")).Descendants("VersionPrefix").Single().Value;
        Assert.That(File.ReadAllText(Path.Combine(SourceTree.Root, "README.md")), Does.Contain($"Include=\"Cake.Frosting.MeshTrust\" Version=\"{version}\""));
    }
}
