using System.Net;
using System.Net.Sockets;
using System.Text;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Cake;

/// <summary>New information in a feed does not stop a build that worked before.</summary>
[TestFixture]
public sealed class FeedWarningsTests
{
    [Test]
    public void An_advisory_and_a_partial_feed_are_warnings()
    {
        using var scratch = new ScratchDirectory();
        using var advisories = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort()}/";
        advisories.Prefixes.Add(address);
        advisories.Start();
        var serving = Task.Run(() => Serve(advisories, address));
        Directory.CreateDirectory(scratch.File("feed"));
        StubPackage.Write(scratch.File("feed"), "Stub.Later", "1.0.1");
        StubPackage.Write(scratch.File("feed"), "Stub.Advised", "1.0.0");
        scratch.Write("nuget.config", $"""
            <configuration>
              <packageSources><clear/><add key="local" value="feed"/></packageSources>
              <auditSources><clear/><add key="advisories" value="{address}index.json" allowInsecureConnections="true"/></auditSources>
            </configuration>
            """);
        scratch.Write("Directory.Build.props", $"""<Project><Import Project="{Path.Combine(RepositoryRoot.Path, "Directory.Build.props")}"/></Project>""");
        scratch.Write("app/app.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup><PackageReference Include="Stub.Later" Version="1.0.0"/><PackageReference Include="Stub.Advised" Version="1.0.0"/></ItemGroup>
            </Project>
            """);
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = scratch.File("packages"), ["NUGET_HTTP_CACHE_PATH"] = scratch.File("http"), ["DOTNET_CLI_UI_LANGUAGE"] = "en" };

        var run = OutsideTool.Run(OutsideTool.TryFind("dotnet")!, ["restore", scratch.File("app"), "--verbosity", "quiet", "-nologo", "-tl:off"], input: null, environment);

        advisories.Stop();
        Assert.That(run.ExitCode, Is.Zero, run.Output + run.Error);
        Assert.That(run.Output, Does.Contain("warning NU1603").And.Contain("warning NU1903"), "quiet, and yet they are seen");
        Assert.That(() => serving.Wait(TimeSpan.FromMinutes(1)), Throws.Nothing);
    }

    /// <summary>A source with one advisory, of high severity, for Stub.Advised.</summary>
    private static void Serve(HttpListener listener, string address)
    {
        var answers = new Dictionary<string, string>
        {
            ["/index.json"] = $$"""{"version": "3.0.0", "resources": [{"@id": "{{address}}advisories.json", "@type": "VulnerabilityInfo/6.7.0"}]}""",
            ["/advisories.json"] = $$"""[{"@name": "base", "@id": "{{address}}base.json", "@updated": "2026-01-01T00:00:00Z"}]""",
            ["/base.json"] = """{"stub.advised": [{"url": "https://advisories.example/1", "severity": 2, "versions": "[1.0.0, 2.0.0)"}]}""",
        };
        try
        {
            while (true)
            {
                var request = listener.GetContext();
                var text = answers.GetValueOrDefault(request.Request.Url!.AbsolutePath);
                request.Response.StatusCode = text is null ? 404 : 200;
                request.Response.ContentType = "application/json";
                request.Response.Close(Encoding.UTF8.GetBytes(text ?? ""), willBlock: true);
            }
        }
        catch (Exception stopped) when (stopped is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
