using System.IO.Compression;

namespace MeshTrust.Tests.Cake;

/// <summary>A NuGet package that contains only its own metadata, and optional files for net10.0.</summary>
internal static class StubPackage
{
    public static void Write(string feed, string id, string version, params (string Id, string Version)[] needs) => Write(feed, id, version, [], needs);

    public static void Write(string feed, string id, string version, IEnumerable<string> files, params (string Id, string Version)[] needs)
    {
        var dependencies = string.Concat(needs.Select(need => $"""<dependency id="{need.Id}" version="{need.Version}"/>"""));
        using var package = ZipFile.Open(Path.Combine(feed, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
        foreach (var file in files) package.CreateEntryFromFile(file, $"lib/net10.0/{Path.GetFileName(file)}");
        using var nuspec = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open());
        nuspec.Write($"""
            <?xml version="1.0"?>
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
              <id>{id}</id><version>{version}</version><authors>tests</authors><description>A stub.</description>
              <dependencies><group targetFramework="net10.0">{dependencies}</group></dependencies>
            </metadata></package>
            """);
    }
}
