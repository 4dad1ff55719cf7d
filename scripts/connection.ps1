# Dot-sourced by the scripts beside it: where the VPS is, and how it is spoken to. connection.sh is the same for Linux and macOS.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false  # Invoke-Program looks at the exit code itself
$Scripts = $PSScriptRoot
$Root = Split-Path -Parent $Scripts
$Stage = '.spelar-upload'

# Who is at the other end must prove it: the first time, a person compares the key.
$Advice = @'

No connection. If the host's key is not known or has changed (see above), get it from somebody who can tell, such as the
provider's console:   ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
compare it with       ssh-keyscan -t ed25519 -p PORT HOST | ssh-keygen -lf -
and when they are equal   ssh-keyscan -t ed25519 -p PORT HOST | Out-File -Append -Encoding ascii $HOME\.ssh\known_hosts
If the login is refused: ssh-add FILE lends your key, and the server must know it (~/.ssh/authorized_keys).
'@

# The parameter, else vps.local.env, else the default; empty when there is none of them.
function Find-Setting([string] $Name, [string] $Given, [string] $Default) {
    if ($Given) { return $Given }
    $found = $Default
    $file = Join-Path $Scripts 'vps.local.env'
    if (Test-Path $file) {
        foreach ($line in Get-Content $file) {
            if ($line -match "^$Name=(.+)$") { $found = $Matches[1] }
        }
    }
    return $found
}

# The same, else what a person answers.
function Get-Setting([string] $Name, [string] $Given, [string] $Default) {
    $found = Find-Setting $Name $Given $Default
    if (-not $found) { $found = Read-Host $Name }
    if (-not $found) { throw "$Name is needed: as a parameter, or in scripts/vps.local.env (see its .example)" }
    return $found
}

# The paths of these kinds in files.txt, in its order.
function Get-Listed([string[]] $Kinds) {
    foreach ($line in Get-Content (Join-Path $Scripts 'files.txt')) {
        $kind, $path = -split $line
        if ($kind -in $Kinds) { $path }
    }
}

# A directory of one's own for what is only needed now.
function New-Work([string] $Parent) {
    $work = Join-Path $Parent ('.spelar-' + [System.IO.Path]::GetRandomFileName())
    New-Item -ItemType Directory -Path $work | Out-Null
    return $work
}

# Run a program; an end that is not 0 ends the script, and says what helps when there was no connection.
function Invoke-Program([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -eq 255) { Write-Host $Advice }
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with $LASTEXITCODE" }
}

# The options of ssh, scp and sftp alike.
function Get-Secure([string] $SshConfig) {
    $config = Find-Setting 'SSH_CONFIG' $SshConfig ''
    if ($config) { '-F'; $config }
    '-o'; 'BatchMode=yes'; '-o'; 'StrictHostKeyChecking=yes'
}

# Where the VPS is: Login, Port and Sudo, and Secure, the options for its programs.
function Get-Vps([string] $VpsHost, [string] $VpsUser, [string] $VpsPort, [string] $SshConfig) {
    $name = Get-Setting 'VPS_HOST' $VpsHost ''
    $user = Get-Setting 'VPS_USER' $VpsUser ''
    $sudo = if ($user -eq 'root') { '' } else { 'sudo ' }
    $secure = @(Get-Secure $SshConfig)
    return @{ Login = "$user@$name"; Port = (Get-Setting 'VPS_PORT' $VpsPort '22'); Sudo = $sudo; Secure = $secure }
}

function Invoke-OnVps($Vps, [string] $Command) {
    Invoke-Program 'ssh' ($Vps.Secure + @('-p', $Vps.Port, $Vps.Login, $Command))
}

# Send a file, named from the directory that we are in, to a directory of one's own there, run a command as root, clean up.
function Invoke-AsRoot($Vps, [string] $File, [string] $Name, [string] $Command) {
    Invoke-OnVps $Vps "umask 077 && rm -rf $Stage && mkdir $Stage"
    Invoke-Program 'scp' (@('-q') + $Vps.Secure + @('-P', $Vps.Port, $File, "$($Vps.Login):$Stage/$Name"))
    $asRoot = $Command.Replace('SUDO ', $Vps.Sudo)
    Invoke-OnVps $Vps "cd $Stage && $asRoot; code=`$?; cd && $($Vps.Sudo)rm -rf $Stage; exit `$code"
}

# Run lines of sftp, from a file called batch in the directory that we are in.
function Invoke-Sftp([string[]] $Secure, [string] $Port, [string] $Login, [string[]] $Lines) {
    [System.IO.File]::WriteAllLines((Join-Path (Get-Location) 'batch'), $Lines)
    Invoke-Program 'sftp' ($Secure + @('-P', $Port, '-b', 'batch', $Login)) | Out-Null
}
