using System.Globalization;
using Cake.Core.Diagnostics;
using MeshTrust.IO;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting.MeshTrust;

/// <summary>The host's log for a terminal: a line that is too long wraps at a space, where the terminal would break a word.</summary>
internal sealed class TerminalLog(ICakeLog log, int width) : ICakeLog
{
    public Verbosity Verbosity { get => log.Verbosity; set => log.Verbosity = value; }

    public void Write(Verbosity verbosity, LogLevel level, string format, params object[] args)
    {
        var message = args.Length == 0 ? format : string.Format(CultureInfo.InvariantCulture, format, args);
        if (message.Length <= width) log.Write(verbosity, level, format, args);
        else log.Write(verbosity, level, "{0}", Text.Wrap(message, width));
    }

    /// <summary>Puts it before the log that the host has so far.</summary>
    public static void AddTo(IServiceCollection services, int width)
    {
        if (services.LastOrDefault(service => service.ServiceType == typeof(ICakeLog)) is not { } before) return;
        services.AddSingleton<ICakeLog>(provider => new TerminalLog((ICakeLog)(before.ImplementationInstance
            ?? before.ImplementationFactory?.Invoke(provider)
            ?? ActivatorUtilities.CreateInstance(provider, before.ImplementationType!)), width));
    }
}
