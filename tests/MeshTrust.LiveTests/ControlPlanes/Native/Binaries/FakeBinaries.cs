namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>Shell scripts that act as etcd and kube-apiserver, in their own directory.</summary>
internal sealed class FakeBinaries : IDisposable
{
    public FakeBinaries() => Root = System.IO.Directory.CreateTempSubdirectory("meshtrust-binaries-").FullName;

    public string Root { get; }

    public static string Script(string program, string version) => program switch
    {
        "etcd" => $"#!/bin/sh\necho 'etcd Version: {version}'\necho 'Git SHA: 1234'\n",
        "kube-apiserver" => $"#!/bin/sh\necho 'Kubernetes v{version}'\n",
        _ => "#!/bin/sh\nexit 0\n",
    };

    /// <summary>Writes the programs into a directory below the root and returns its path.</summary>
    public string Place(string directory, string version, params string[] programs)
    {
        foreach (var program in programs) Write(Path.Combine(directory, program), Script(program, program == "etcd" ? "3.5.0" : version));
        return Path.Combine(Root, directory);
    }

    public string Write(string relative, string text, bool executable = true)
    {
        var path = Path.Combine(Root, relative);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100;
        using var writer = new StreamWriter(path, options);
        writer.Write(text);
        return path;
    }

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var directory in System.IO.Directory.EnumerateDirectories(Root, "*", SearchOption.AllDirectories).ToList())
                File.SetUnixFileMode(directory, (UnixFileMode)0b111_000_000);
        }

        System.IO.Directory.Delete(Root, recursive: true);
    }
}
