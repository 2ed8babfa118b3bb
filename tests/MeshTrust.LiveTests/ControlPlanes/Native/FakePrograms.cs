using MeshTrust.ControlPlanes.Native;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>Shell scripts that act as etcd and kube-apiserver. Each records its process id and arguments first.</summary>
internal sealed class FakePrograms : IDisposable
{
    private readonly FakeBinaries _files = new();

    public FakePrograms(string etcd, string apiServer = "exit 1")
    {
        Binaries = new ControlPlaneBinaries { Etcd = Write("etcd", "etcd Version: 3.4.23", etcd), ApiServer = Write("kube-apiserver", "Kubernetes v1.20.2", apiServer), Source = "test", Version = "1.20.2", EtcdVersion = "3.4.23" };
        RunRoot = Path.Combine(_files.Root, "r");
    }

    public ControlPlaneBinaries Binaries { get; }

    public string RunRoot { get; }

    /// <summary>The process ids of all that ran.</summary>
    public IReadOnlyList<int> Ids => [.. Notes.Select(line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>The command lines of all that ran.</summary>
    public IReadOnlyList<string> Notes => File.Exists(NotesFile) ? File.ReadAllLines(NotesFile) : [];

    /// <summary>What is left of the runs, without the logs.</summary>
    public IReadOnlyList<string> Left => Directory.Exists(RunRoot) ? [.. Directory.GetDirectories(RunRoot, "run-*")] : [];

    private string NotesFile => Path.Combine(_files.Root, "notes");

    public NativeControlPlanesOptions Options(params string[] names) => new()
    {
        Names = names.Length == 0 ? ["east"] : names, Binaries = Binaries, RunDirectory = RunRoot, StartTimeout = TimeSpan.FromSeconds(30),
    };

    public static async Task<MeshTrustException> FailAsync(NativeControlPlanesOptions options)
    {
        try
        {
            await using var planes = await NativeControlPlanes.StartAsync(options);
        }
        catch (MeshTrustException e)
        {
            return e;
        }

        throw new InvalidOperationException("It started.");
    }

    public string WriteRaw(string name, string text, bool executable = true) => _files.Write(name, text, executable);

    public void Dispose() => _files.Dispose();

    private string Write(string name, string version, string body) =>
        _files.Write(name, $"#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{version}'; exit 0; fi\necho \"$$ $*\" >>'{Path.Combine(_files.Root, "notes")}'\n{body}\n");
}
