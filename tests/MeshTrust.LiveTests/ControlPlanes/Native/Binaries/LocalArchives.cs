using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.ControlPlanes.Native.Binaries;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>A server on loopback with an index and archives, valid and invalid.</summary>
internal sealed class LocalArchives : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Dictionary<string, Func<HttpContext, Task>> _pages = [];
    private readonly StringBuilder _index = new("releases:\n");
    private readonly List<string> _requests = [];

    private LocalArchives()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.Run(context =>
        {
            lock (_requests) _requests.Add(context.Request.Path);
            if (context.Request.Path == "/index.yaml") return context.Response.WriteAsync(_index.ToString());
            if (_pages.TryGetValue(context.Request.Path, out var page)) return page(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
    }

    public Uri Address { get; private set; } = null!;

    public Uri Index => new(Address, "index.yaml");

    /// <summary>The requested paths.</summary>
    public IReadOnlyList<string> Requests
    {
        get { lock (_requests) return [.. _requests]; }
    }

    public static async Task<LocalArchives> StartAsync()
    {
        var archives = new LocalArchives();
        await archives._server.StartAsync();
        archives.Address = new Uri(archives._server.Urls.Single() + "/");
        return archives;
    }

    /// <summary>Programs as in the archives of envtest: scripts that print their version.</summary>
    public static byte[] Sound(string version, bool withKubectl = false)
    {
        string[] programs = withKubectl ? ["kube-apiserver", "etcd", "kubectl"] : ["kube-apiserver", "etcd"];
        return Pack([.. programs.Select(program => File($"controller-tools/envtest/{program}", FakeBinaries.Script(program, program == "etcd" ? "3.5.9" : version)))]);
    }

    public static TarEntry File(string name, string text) =>
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = (UnixFileMode)0b111_101_101 };

    public static TarEntry Link(TarEntryType type, string name, string target) => new PaxTarEntry(type, name) { LinkName = target };

    public static byte[] Pack(params TarEntry[] entries)
    {
        using var buffer = new MemoryStream();
        using (var zip = new GZipStream(buffer, CompressionLevel.Fastest))
        using (var tar = new TarWriter(zip))
        {
            foreach (var entry in entries) tar.WriteEntry(entry);
        }

        return buffer.ToArray();
    }

    public static string Hash(byte[] content) => Convert.ToHexStringLower(SHA512.HashData(content));

    /// <summary>Lists an archive, with the hash of <paramref name="content"/> or another.</summary>
    public LocalArchives List(string version, byte[] content, string? hash = null, Func<HttpContext, Task>? answer = null, string? platform = null)
    {
        var name = $"envtest-v{version}-{platform ?? ControlPlanePlatform.Current.ToString()}.tar.gz";
        _index.Append($"  v{version}:\n    {name}:\n      hash: {hash ?? Hash(content)}\n      selfLink: {new Uri(Address, name)}\n");
        _pages["/" + name] = answer ?? (context => context.Response.Body.WriteAsync(content).AsTask());
        return this;
    }

    /// <summary>Replaces the whole index.</summary>
    public LocalArchives Say(string index)
    {
        _index.Clear().Append(index);
        return this;
    }

    public LocalArchives On(string path, Func<HttpContext, Task> answer)
    {
        _pages[path] = answer;
        return this;
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();
}
