namespace MeshTrust.Tests.Live;

/// <summary>The whole host inside this process, for many quick runs. It changes the current directory, variables and console of the process: never run it in parallel.</summary>
internal static class HostInProcess
{
    private static readonly System.Reflection.MethodInfo Main = typeof(Build.DotNetCommand).Assembly.EntryPoint!;

    /// <summary>Runs the host to its end; returns the exit code and both streams as one text.</summary>
    public static (int ExitCode, string Output) Run(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var before = (Directory: Environment.CurrentDirectory, Console.Out, Console.Error, Variables: Variables());
        using var text = new StringWriter();
        var output = TextWriter.Synchronized(text);
        try
        {
            Environment.CurrentDirectory = directory;
            foreach (var (name, value) in HostProcess.CleanEnvironment(environment)) Environment.SetEnvironmentVariable(name, value);
            Console.SetOut(output);
            Console.SetError(output);
            var code = (int)Main.Invoke(null, [arguments.ToArray()])!;
            return (code & 0xff, text.ToString());
        }
        finally
        {
            Console.SetOut(before.Out);
            Console.SetError(before.Error);
            Environment.CurrentDirectory = before.Directory;
            foreach (var name in Variables().Keys.Except(before.Variables.Keys)) Environment.SetEnvironmentVariable(name, null);
            foreach (var (name, value) in before.Variables) Environment.SetEnvironmentVariable(name, value);
        }
    }

    private static Dictionary<string, string?> Variables() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(v => (string)v.Key, v => (string?)v.Value, StringComparer.Ordinal);
}
